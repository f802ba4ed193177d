/** Mocha adds the files that it is told to those that its configuration names: told any, it is to run these alone. */
const isTold = process.argv.some((word) => word.endsWith(".test.js"));

module.exports = {
  ...(isTold ? {} : { spec: ["dist/test/**/*.test.js"] }),
  require: ["dist/test/support/redis/redis-server.js"],
  "node-option": ["enable-source-maps"],
  "forbid-only": true,
  "forbid-pending": false,
  "check-leaks": true,
  timeout: 30000,
};
