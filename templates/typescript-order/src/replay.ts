/**
 * Replay histories with the code as it is now: `node lib/replay.js`, with a folder of histories in DX_HISTORIES.
 *
 * `dx dev` runs this before a new worker takes over. A history that asks for something else than the code fails it.
 * (package.json names protobufjs so that npm installs it once: packages of the SDK that don't share it can't read JSON.)
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';

function* readHistories(folder: string): Generator<{ workflowId: string; history: unknown }> {
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
    yield { workflowId: name.replace(/\.json$/, ''), history: JSON.parse(readFileSync(join(folder, name), 'utf8')) };
  }
}

async function main(): Promise<void> {
  // Nothing but what is printed below.
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF', forward: {} } } });
  const results = Worker.runReplayHistories(
    { workflowsPath: require.resolve('./workflows') },
    readHistories(process.env.DX_HISTORIES ?? 'histories'),
  );
  for await (const { workflowId, error } of results) {
    if (!error) continue;
    const [, detail] = /message: "(.*?)", source/.exec(error.message) ?? [];
    console.error(`${workflowId}: ${detail ?? error.message}`);
    process.exitCode = 1;
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
