"""A client of listend's broker: take("web") returns the socket, or raises an error with the reason."""
import json
import os
import socket


def take(*names, path=None):
    """Returns the sockets of these listeners in order: all of them or none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as broker:
        broker.settimeout(10)
        broker.connect(path or os.environ['LISTEND_BROKER'])
        request = {'method': 'take', 'listeners': names}
        if 'LISTEND_TOKEN' in os.environ:
            request['token'] = os.environ['LISTEND_TOKEN']
        broker.send(json.dumps(request).encode())
        descriptors, more = [], True
        while more:
            data, received, flags, _ = socket.recv_fds(broker, 65536, 253)
            descriptors += received
            reply = json.loads(data or b'{"error": {"code": "busy", "message": "the broker has closed the connection"}}')
            if 'error' in reply or flags & socket.MSG_CTRUNC:
                for descriptor in descriptors:
                    os.close(descriptor)
                raise PermissionError(reply.get('error', 'descriptors were lost: raise ulimit -n'))
            more = reply['more']
    return [socket.socket(fileno=descriptor) for descriptor in descriptors]
