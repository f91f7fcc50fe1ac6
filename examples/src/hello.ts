import { counter, entity, open, record } from '#peerplane'

const state = record({ votes: counter() })
const Tally = entity('tally', { state, commands: { vote: (tally) => tally.votes.increment() } })
const plane = await open({ entities: [Tally], space: 'tally.example' })
const tally = plane.get(Tally, 'lunch')
tally.subscribe(({ votes }) => console.log(votes))
await tally.vote()
