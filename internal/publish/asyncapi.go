package publish

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// httpBinding is the version of AsyncAPI's HTTP binding.
const httpBinding = "0.3.0"

// asyncAPI describes the gateway, which sends: a channel for each path, an
// operation for each event, a message for each state.
func asyncAPI(c *contract.Contract, o Options) (*jsondoc.Value, error) {
	endpoint, err := url.Parse(o.Endpoint)
	if err != nil || endpoint.Host == "" {
		return nil, fmt.Errorf("%.80q is no URL of an endpoint", o.Endpoint)
	}
	d := describer{c: c, shared: newLibrary(c, "#/components/schemas/"), ids: names{}}
	channels, operations, messages := object(), object(), object()
	at := map[string]string{}
	for _, path := range c.Paths() {
		states := slices.DeleteFunc(c.States(), func(st *contract.State) bool { return st.Path != path })
		at[path] = d.ids.free(camel(path))
		put(channels, at[path], channel(path, states))
	}
	for _, event := range c.EventNames() {
		states := c.Event(event)
		put(operations, d.ids.free(camel("send "+event)), sending(event, at[states[0].Path], states))
	}
	for _, st := range c.States() {
		put(messages, name(st), d.message(st))
	}
	return object(
		"asyncapi", "3.0.0",
		"info", object("title", c.Name, "version", version(c), "description", rules(c), "tags", each(c.Subjects, func(s *contract.Subject) *jsondoc.Value {
			return object("name", s.Name, "description", s.Meaning)
		})),
		"defaultContentType", json,
		"servers", object("endpoint", object("host", endpoint.Host, "protocol", endpoint.Scheme, "description", "the receiver")),
		"channels", channels,
		"operations", operations,
		"components", object("messages", messages, "schemas", d.shared.all()),
		"x-delivery", delivery(c),
		"x-answers", each(c.AllAnswers(), answer),
	), nil
}

// channel is a path with the messages that come to it.
func channel(path string, states []*contract.State) *jsondoc.Value {
	messages := object()
	for _, st := range states {
		put(messages, name(st), ref("#/components/messages/"+name(st)))
	}
	return object("address", path, "description", eventsOf(states), "messages", messages)
}

// sending is an event, which is POSTed.
func sending(event, channel string, states []*contract.State) *jsondoc.Value {
	at := "#/channels/" + channel
	return object(
		"action", "send",
		"channel", ref(at),
		"title", event,
		"tags", array(object("name", states[0].Subject.Name)),
		"bindings", object("http", object("method", "POST", "bindingVersion", httpBinding)),
		"messages", each(states, func(st *contract.State) *jsondoc.Value { return ref(at + "/messages/" + name(st)) }),
	)
}

// message is the event that reports a state.
func (d describer) message(st *contract.State) *jsondoc.Value {
	var headers, bindings *jsondoc.Value
	for _, h := range d.recipe().Headers {
		if headers == nil {
			headers = object("type", "object")
		}
		pin(headers, jsondoc.Pointer{h.Name}, "type", "string")
		put(headers.At(jsondoc.Pointer{"properties", h.Name}), "pattern", h.Pattern, "description", h.Meaning)
	}
	if headers != nil {
		bindings = object("http", object("headers", headers, "bindingVersion", httpBinding))
	}
	return object(
		"name", st.Event, "title", st.String(), "summary", summary(st), "contentType", json,
		"headers", headers, "payload", d.shared.state(st),
		"examples", array(object("name", name(st), "payload", &st.Sample)),
		"bindings", bindings, "x-source", st.Source, "x-derived", st.Derived,
	)
}
