"""RDF in and out: policies, requests and states of the world as Turtle or JSON-LD, reports as both and as JSON."""
