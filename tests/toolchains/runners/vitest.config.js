export default { test: { globals: true, include: ['spec/*.test.js'] } };
