const { proxyActivities, sleep } = require('@temporalio/workflow');

const { greet } = proxyActivities({ startToCloseTimeout: '5 seconds' });
const { failThrice } = proxyActivities({
  startToCloseTimeout: '5 seconds',
  retry: { initialInterval: '12 hours', backoffCoefficient: 2 },
});

exports.greeting = async (name) => greet(name);

exports.sleepDays = async (days) => {
  for (let day = 0; day < days; day += 1) await sleep('1 day');
};

exports.retries = async () => failThrice();
