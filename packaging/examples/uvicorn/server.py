"""uvicorn on descriptor 3. A stopping uvicorn closes each connection whose request it has not read yet. This one first stops
accepting, then answers with "Connection: close" for a second."""
import asyncio

import uvicorn


class Server(uvicorn.Server):
    async def shutdown(self, sockets=None):
        for listening in self.servers:
            listening.close()
        state = self.server_state
        state.default_headers = [*state.default_headers, (b'connection', b'close')]
        for connection in state.connections:
            connection.default_headers = state.default_headers
        await asyncio.sleep(1)
        await super().shutdown(sockets)


Server(uvicorn.Config('app:application', fd=3, access_log=False)).run()
