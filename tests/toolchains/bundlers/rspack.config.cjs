module.exports = {
  entry: './app.js',
  output: { filename: 'app.js', clean: true },
  devServer: { static: 'public', host: '127.0.0.1', client: { overlay: false } },
};
