// Starts `dx-test-server` as the TypeScript SDK starts a test server by its path; says how many days things took.
const { TestWorkflowEnvironment } = require('@temporalio/testing');
const { Worker } = require('@temporalio/worker');

const DAY_MS = 86_400_000;

async function main() {
  const executable = { type: 'existing-path', path: process.argv[2] };
  const environment = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  try {
    let attempts = 0;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue: 'time',
      workflowsPath: require.resolve('./workflows'),
      activities: {
        greet: async (name) => `Hello, ${name}`,
        failThrice: async () => {
          attempts += 1;
          if (attempts < 4) throw new Error('not yet');
        },
      },
    });
    const days = {};
    const measure = async (name, act) => {
      const before = await environment.currentTimeMs();
      await act();
      days[name] = ((await environment.currentTimeMs()) - before) / DAY_MS;
    };
    const execute = (workflow, ...args) =>
      environment.client.workflow.execute(workflow, { args, workflowId: workflow, taskQueue: 'time' });
    await worker.runUntil(async () => {
      await measure('monthOfTimers', () => execute('sleepDays', 30));
      await measure('sleep', () => environment.sleep('3 days'));
      await measure('retriesOfAnActivity', () => execute('retries'));
    });
    console.log(JSON.stringify(days));
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
