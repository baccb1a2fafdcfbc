"""A collector of OTLP over HTTP: reads requests with OpenTelemetry's own classes, prints each span as a line of JSON."""

import base64
import http.server
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

IDS = ("traceId", "spanId", "parentSpanId")


def as_protobuf(value):
    """The one thing in which OTLP's JSON is not that of protobuf: ids are hexadecimal there."""
    if isinstance(value, list):
        return [as_protobuf(item) for item in value]
    if not isinstance(value, dict):
        return value
    encode = lambda text: base64.b64encode(bytes.fromhex(text)).decode()
    return {key: encode(item) if key in IDS else as_protobuf(item) for key, item in value.items()}


def plain(value):
    kind = value.WhichOneof("value")
    item = getattr(value, kind)
    return [plain(one) for one in item.values] if kind == "array_value" else item


def attributes(of):
    return {attribute.key: plain(attribute.value) for attribute in of.attributes}


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/json")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        # A field that is not in the protocol is an error here.
        request = json_format.ParseDict(as_protobuf(body), ExportTraceServiceRequest())
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    told = {
                        "service": attributes(resource.resource)["service.name"],
                        "trace": span.trace_id.hex(),
                        "id": span.span_id.hex(),
                        "parent": span.parent_span_id.hex(),
                        "name": span.name,
                        "start": span.start_time_unix_nano,
                        "end": span.end_time_unix_nano,
                        "attributes": attributes(span),
                    }
                    print(json.dumps(told), flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


server = http.server.HTTPServer((sys.argv[1], 0), Collector)
print(server.server_port, flush=True)
server.serve_forever()
