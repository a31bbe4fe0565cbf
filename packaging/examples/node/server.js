// A Node worker. listend passes the listener as descriptor 3.
const http = require('http');
const net = require('net');

let stopping = false;
const server = http.createServer((request, response) => {
  if (stopping) response.setHeader('Connection', 'close');
  response.end(`node ${process.pid}\n`);
});
server.listen({ fd: 3 });

process.on('SIGTERM', () => {
  stopping = true;                           // from now on each response ends its connection
  net.Server.prototype.close.call(server);   // stops accepting; server.close() would also close idle connections at once
  setTimeout(() => server.closeIdleConnections(), 1000);
});
