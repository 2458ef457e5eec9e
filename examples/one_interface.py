"""One interface to several wire formats: a conversation that moves from one provider to the next, with a tool.

A small server stands in for three providers, each in its own format. In an application the targets would be
"anthropic/claude-sonnet-5", "gemini/gemini-3.5-flash" and "openai/gpt-5.5", and nothing else would differ.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import aigw
from aigw.wire import anthropic_messages, gemini, openai_chat

FORMATS = {
    "/v1/messages": anthropic_messages,
    "/v1/models/large:generateContent": gemini,
    "/v1/chat/completions": openai_chat,
}
WEATHER = aigw.Tool("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


class Model(BaseHTTPRequestHandler):
    """Asks for the weather first, then tells what it has heard."""

    def do_POST(self) -> None:
        """Read a request and write an answer in the format of the path."""
        wire = FORMATS[self.path]
        call = wire.parse_request(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        heard = [part.content for message in call.messages for part in message.parts if part.type == "tool_result"]
        asked = aigw.ToolCallDelta(0, "call_1", "weather", '{"city":"Oslo"}')
        said = aigw.Chunk(f"I have heard of {heard[-1]}.") if heard else aigw.Chunk(tool_calls=(asked,))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(wire.render_response([said], model="large")).encode())

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def main() -> None:
    """Ask one, hand its tool call and the result to the next, and go on with the third."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/v1"
        routes = {wire.WIRE: aigw.Target(url, model="large", wire=wire.WIRE) for wire in FORMATS.values()}
        talk = [aigw.Message("user", "How is the weather in Oslo?")]
        with aigw.Gateway(routes) as gateway:
            for name in routes:
                answer = gateway.chat(talk, model=name, tools=[WEATHER], seed=7)
                called = [f"{call.name}({call.arguments})" for call in answer.tool_calls]
                print(f"{name}: {answer.text}{', '.join(called)} [{answer.finish_reason}]")
                for note in answer.trace.decisions:  # what this format cannot say
                    print(f"  {note.action}: {note.reason}")
                results = [aigw.Message("tool", [aigw.ToolResult(call.id, "rain")]) for call in answer.tool_calls]
                talk += [answer.message, *(results or [aigw.Message("user", "And tomorrow?")])]
        server.shutdown()


if __name__ == "__main__":
    main()
