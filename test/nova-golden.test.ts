import { test } from 'node:test'
import { readWalks, recordedInstance, recordedInstances } from './nova-recordings.ts'
import { recordedDeps, replayPasswordSequences, replayWalk } from './nova-replay.ts'
import { FakeInventory, startService } from './nova-service.ts'

for (const { name, recording } of readWalks()) {
  test(`every path of ${name} answers as Nova did`, () =>
    replayWalk(startService(new FakeInventory([recordedInstance(name)]), recordedDeps), name, recording))
}

test('password sequences answer as Nova did, but for the named deviations', () =>
  replayPasswordSequences(startService(new FakeInventory(recordedInstances.values()), recordedDeps).handler))
