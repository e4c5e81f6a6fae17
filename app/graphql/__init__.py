"""The GraphQL endpoint: one schema over HTTP, WebSocket and server-sent events.

negotiation   which media types a request speaks and which it wants back
requests      one operation out of a JSON body, a query string or a multipart form
callers       who asks, and whether a browser was tricked into asking
documents     parsed, limited, validated: once for each text
engine        runs operations, bounded in time, and words their errors
http sse websocket ide   the four ways in
"""
