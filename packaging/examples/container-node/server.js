// A Node worker without changes for listend, which passes the listener as descriptor 3.
const http = require('http');

const server = http.createServer((request, response) => response.end(`node ${process.pid}\n`));
server.listen({ fd: 3 });
process.on('SIGTERM', () => server.close());
