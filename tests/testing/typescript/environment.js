// Starts `dx` as the TypeScript SDK starts a dev server by its path, runs a workflow, and waits for a line on stdin.
const { TestWorkflowEnvironment } = require('@temporalio/testing');
const { Worker } = require('@temporalio/worker');
const readline = require('node:readline');

async function main() {
  const { server, workflowId } = JSON.parse(process.argv[2]);
  const environment = await TestWorkflowEnvironment.createLocal({ server });
  const say = (what) => console.log(JSON.stringify(what));
  try {
    say({ address: environment.address, namespace: environment.namespace });
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      namespace: environment.namespace,
      taskQueue: 'greetings',
      workflowsPath: require.resolve('./workflows'),
      activities: { greet: async (name) => `Hello, ${name}` },
    });
    const options = { args: ['Ada'], workflowId, taskQueue: 'greetings', searchAttributes: { Customer: ['Ada'] } };
    say({ result: await worker.runUntil(environment.client.workflow.execute('greeting', options)) });
    await new Promise((resolve) => readline.createInterface({ input: process.stdin }).once('line', resolve));
  } finally {
    await environment.teardown();
  }
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
