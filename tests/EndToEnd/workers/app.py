# A WSGI application for gunicorn, which supports LISTEN_FDS and sd_notify itself.
import os
import time
import urllib.parse


def application(environ, start_response):
    if environ['PATH_INFO'] == '/slow':
        time.sleep(int(urllib.parse.parse_qs(environ['QUERY_STRING'])['ms'][0]) / 1000)
    body = b'gunicorn %d\n' % os.getpid()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
