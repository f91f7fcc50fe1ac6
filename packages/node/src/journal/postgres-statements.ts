/*
 * What a journal on PostgreSQL executes. Each statement is a transaction of its own.
 */

/**
 * The fence: it locks the lease until the append has committed. `FOR SHARE` conflicts with the lock of a claim; `FOR KEY SHARE` does not, and a
 * sub-select without a lock reads the lease as it was when the statement began.
 */
export const appendText = `WITH fence AS MATERIALIZED (
    SELECT shard FROM leases
    WHERE shard = $1 AND token = $2 AND nonce = $3 AND until > clock_timestamp()
    FOR SHARE
  ), new_events AS (
    INSERT INTO events (shard, entity, number, position, record)
    SELECT fence.shard, new.* FROM fence,
      unnest($4::bytea[], $5::bigint[], $6::bigint[], $7::bytea[]) AS new
  ), new_outcomes AS (
    INSERT INTO outcomes (shard, outbox, n, record)
    SELECT fence.shard, new.* FROM fence, unnest($8::bytea[], $9::bigint[], $10::bytea[]) AS new
  ), new_watermarks AS (
    INSERT INTO watermarks (shard, outbox, n)
    SELECT fence.shard, new.* FROM fence, unnest($11::bytea[], $12::bigint[]) AS new
    ON CONFLICT (shard, outbox) DO UPDATE SET n = excluded.n WHERE watermarks.n < excluded.n
  ), forgotten AS (
    DELETE FROM outcomes
    USING fence, unnest($11::bytea[], $12::bigint[]) AS new (outbox, n)
    WHERE outcomes.shard = fence.shard AND outcomes.outbox = new.outbox AND outcomes.n <= new.n
  ), new_snapshots AS (
    INSERT INTO snapshots (entity, number, record)
    SELECT new.* FROM fence, unnest($13::bytea[], $14::bigint[], $15::bytea[]) AS new
    ON CONFLICT (entity) DO UPDATE SET number = excluded.number, record = excluded.record
    WHERE snapshots.number < excluded.number
  )
  SELECT shard FROM fence`

/** A claim changes the row that every append locks: it waits for the appends in progress, and later ones find the new token. */
export const claimText = `UPDATE leases
  SET token = token + 1, nonce = $3, holder = $2,
    until = clock_timestamp() + $4::bigint * interval '1 millisecond'
  WHERE shard = $1 AND (holder = $2 OR until <= clock_timestamp())
  RETURNING token`

export const holderText = 'SELECT holder FROM leases WHERE shard = $1'

export const renewText = `UPDATE leases
  SET until = clock_timestamp() + $4::bigint * interval '1 millisecond'
  WHERE shard = $1 AND token = $2 AND nonce = $3
  RETURNING shard`

export const releaseText = `UPDATE leases SET until = '-infinity', holder = ''
  WHERE shard = $1 AND token = $2 AND nonce = $3`

/** Executed once on each connection, before its first statement. */
export const connectText = `SELECT
  set_config('synchronous_commit',
    CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END,
    false),
  current_setting('fsync') AS fsync, pg_is_in_recovery() AS standby`

/** The version of the tables. */
export const TABLE_VERSION = 1

/** Makes the tables of version 1, whose number is the last thing that is written. $schema stands for the name of the schema. */
export const tablesText = `
  CREATE SCHEMA IF NOT EXISTS $schema;
  CREATE TABLE $schema.leases (shard int PRIMARY KEY, token bigint NOT NULL, nonce bytea NOT NULL,
    holder text NOT NULL, until timestamptz NOT NULL);
  CREATE TABLE $schema.events (entity bytea, number bigint, shard int NOT NULL,
    position bigint NOT NULL, record bytea NOT NULL,
    PRIMARY KEY (entity, number), UNIQUE (shard, position));
  CREATE TABLE $schema.outcomes (shard int, outbox bytea, n bigint, record bytea NOT NULL,
    PRIMARY KEY (shard, outbox, n));
  CREATE TABLE $schema.watermarks (shard int, outbox bytea, n bigint NOT NULL,
    PRIMARY KEY (shard, outbox));
  CREATE TABLE $schema.snapshots (entity bytea PRIMARY KEY, number bigint NOT NULL,
    record bytea NOT NULL);
  INSERT INTO $schema.leases
    SELECT shard, 0, '', '', '-infinity' FROM generate_series(0, $shards - 1) AS shard;
  CREATE TABLE $schema.journal (id bytea NOT NULL, version int NOT NULL);
  INSERT INTO $schema.journal VALUES ('\\x$id', ${TABLE_VERSION})`
