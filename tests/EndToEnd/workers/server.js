// A Node worker as anybody would write it: the inherited descriptor, readiness by systemd-notify(1), and on SIGTERM
// close(), which ceases to accept, answers what it has, and lets the process end.
const http = require('http');
const { execFile } = require('child_process');

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const answer = () => response.end(`node ${process.pid}\n`);
  url.pathname === '/slow' ? setTimeout(answer, Number(url.searchParams.get('ms'))) : answer();
});
server.listen({ fd: 3 }, () => execFile('systemd-notify', ['--ready'], (error) => error && console.error(error)));
process.on('SIGTERM', () => server.close());
