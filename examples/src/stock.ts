// The stock of a shop whose tills go on selling while they are offline, as an application would declare it first, and as it should.
import { counter, entity, record, register, Rejected } from '#peerplane'

/** Reads how many are left and writes one number less. Two tills that do so at the same time write the same number: one sale is lost. */
export const NaiveStock = entity('naive-stock', {
  state: record({ left: register(0) }),
  commands: {
    deliver: (stock, count: number) => stock.left.set(stock.left.value + count),
    sell: (stock, count: number) => {
      if (stock.left.value < count) throw new Rejected('sold-out', `${stock.left.value} are left`)
      stock.left.set(stock.left.value - count)
    },
  },
})

/** Says by how much the number changes. Changes made at the same time add up. */
export const Stock = entity('stock', {
  state: record({ left: counter() }),
  commands: {
    deliver: (stock, count: number) => stock.left.increment(count),
    sell: (stock, count: number) => {
      if (stock.left.value < count) throw new Rejected('sold-out', `${stock.left.value} are left`)
      stock.left.decrement(count)
    },
  },
})
