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
func asyncAPI(c *contract.Contract, o Options) (jsondoc.Value, error) {
	endpoint, err := url.Parse(o.Endpoint)
	if err != nil || endpoint.Host == "" {
		return jsondoc.Value{}, fmt.Errorf("%.80q is no URL of an endpoint", o.Endpoint)
	}
	d := describer{c: c, library: newLibrary(c, "#/components/schemas/"), ids: names{}}
	channels, operations, messages := object(), object(), object()
	at := map[string]string{}
	for _, path := range c.Paths() {
		states := slices.DeleteFunc(c.States(), func(st *contract.State) bool { return st.Path != path })
		at[path] = d.ids.free(camel(path))
		channels.Members = append(channels.Members, member(at[path], channel(path, states)))
	}
	for _, event := range c.EventNames() {
		states := c.Event(event)
		operations.Members = append(operations.Members, member(d.ids.free(camel("send "+event)), sending(event, at[states[0].Path], states)))
	}
	for _, st := range c.States() {
		messages.Members = append(messages.Members, member(name(st), d.message(st)))
	}
	return object(
		text("asyncapi", "3.0.0"),
		member("info", object(text("title", c.Name), text("version", version(c)), text("description", rules(c)), member("tags", each(c.Subjects, func(s *contract.Subject) jsondoc.Value {
			return object(text("name", s.Name), text("description", s.Meaning))
		})))),
		text("defaultContentType", json),
		member("servers", object(member("endpoint", object(text("host", endpoint.Host), text("protocol", endpoint.Scheme), text("description", "the receiver"))))),
		member("channels", channels),
		member("operations", operations),
		member("components", object(member("messages", messages), member("schemas", object(d.library.all()...)))),
		member("x-delivery", delivery(c)),
		member("x-answers", each(c.AllAnswers(), answer)),
	), nil
}

// channel is a path with the messages that come to it.
func channel(path string, states []*contract.State) jsondoc.Value {
	messages := object()
	for _, st := range states {
		messages.Members = append(messages.Members, member(name(st), ref("#/components/messages/"+name(st))))
	}
	return object(text("address", path), text("description", eventsOf(states)), member("messages", messages))
}

// sending is an event, which is POSTed.
func sending(event, channel string, states []*contract.State) jsondoc.Value {
	at := "#/channels/" + channel
	return object(
		text("action", "send"),
		member("channel", ref(at)),
		text("title", event),
		member("tags", array(object(text("name", states[0].Subject.Name)))),
		member("bindings", object(member("http", object(text("method", "POST"), text("bindingVersion", httpBinding))))),
		member("messages", each(states, func(st *contract.State) jsondoc.Value { return ref(at + "/messages/" + name(st)) })),
	)
}

// message is the event that reports a state.
func (d describer) message(st *contract.State) jsondoc.Value {
	headers := object(text("type", "object"))
	for _, h := range d.recipe().Headers {
		pin(&headers, jsondoc.Pointer{h.Name}, text("type", "string"))
		*headers.At(jsondoc.Pointer{"properties", h.Name}) = object(text("type", "string"), text("pattern", h.Pattern), text("description", h.Meaning))
	}
	signed := len(d.recipe().Headers) > 0
	members := []jsondoc.Member{
		text("name", st.Event), title(st), text("summary", summary(st)), text("contentType", json),
		when(signed, "headers", headers),
		member("payload", d.library.state(st)),
		member("examples", array(object(text("name", name(st)), member("payload", st.Sample)))),
		when(signed, "bindings", object(member("http", object(member("headers", headers), text("bindingVersion", httpBinding))))),
	}
	return object(append(members, basis(st.Source, st.Derived)...)...)
}
