export default { testEnvironment: 'jsdom', testMatch: ['**/spec/*.test.js'], transform: {} };
