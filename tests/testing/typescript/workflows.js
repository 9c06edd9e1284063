const { proxyActivities } = require('@temporalio/workflow');

const { greet } = proxyActivities({ startToCloseTimeout: '5 seconds' });

exports.greeting = async (name) => greet(name);
