import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import broker
import serving

listener, = broker.take(*os.environ['LISTEND_LISTENERS'].split(':'))
serving.serve(listener, serving.http)
