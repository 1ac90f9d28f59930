package publish

import (
	"slices"
	"strconv"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/signature"
)

// json is the media type of payloads and of answers.
const json = "application/json"

// openAPI describes each event as a webhook, and each path that events are
// delivered to as the receiver serves it.
func openAPI(c *contract.Contract, o Options) (jsondoc.Value, error) {
	d := describer{c: c, library: newLibrary(c, "#/components/schemas/"), ids: names{}}
	webhooks, paths := object(), object()
	for _, event := range c.EventNames() {
		states := c.Event(event)
		item := object(member("post", d.operation("on "+event, event, states)), text("x-path", states[0].Path))
		webhooks.Members = append(webhooks.Members, member(event, item))
	}
	for _, path := range c.Paths() {
		states := slices.DeleteFunc(c.States(), func(st *contract.State) bool { return st.Path != path })
		paths.Members = append(paths.Members, member(path, object(member("post", d.operation("receive "+path, eventsOf(states), states)))))
	}
	return object(
		text("openapi", "3.1.0"),
		member("info", object(text("title", c.Name), text("version", version(c)), text("description", rules(c)))),
		member("servers", array(object(text("url", "{endpoint}"), text("description", "the receiver"), member("variables", object(
			member("endpoint", object(text("default", o.Endpoint), text("description", "where the receiver is"))),
		))))),
		member("tags", each(c.Subjects, func(s *contract.Subject) jsondoc.Value {
			return object(text("name", s.Name), text("description", s.Meaning))
		})),
		member("security", array()), // a signature is no credential that OpenAPI knows
		member("paths", paths),
		member("webhooks", webhooks),
		member("components", object(
			member("schemas", object(d.library.all()...)),
			member("examples", d.examples()),
			when(c.Signature != nil, "parameters", d.headers()),
			member("responses", d.responses()),
		)),
		member("x-delivery", delivery(c)),
	), nil
}

// eventsOf names the events of states, each once.
func eventsOf(states []*contract.State) string {
	var out []string
	for _, st := range states {
		if !slices.Contains(out, st.Event) {
			out = append(out, st.Event)
		}
	}
	return strings.Join(out, ", ")
}

type describer struct {
	c       *contract.Contract
	library *library
	ids     names // of operations and channels
}

// operation is the delivery of one of the events that report these states.
func (d describer) operation(id, events string, states []*contract.State) jsondoc.Value {
	var lines, tags []string
	examples := object()
	for _, st := range states {
		lines = append(lines, "- "+summary(st))
		if !slices.Contains(tags, st.Subject.Name) {
			tags = append(tags, st.Subject.Name)
		}
		examples.Members = append(examples.Members, member(name(st), ref("#/components/examples/"+name(st))))
	}
	media := object(member("schema", d.library.oneOf(states)), member("examples", examples))
	responses := object()
	for _, r := range reactions(d.c) {
		status := strconv.Itoa(r.status)
		responses.Members = append(responses.Members, member(status, ref("#/components/responses/"+status)))
	}
	return object(
		text("operationId", d.ids.free(camel(id))),
		text("summary", events),
		text("description", strings.Join(lines, "\n")),
		member("tags", each(tags, str)),
		when(d.c.Signature != nil, "parameters", each(d.recipe().Headers, func(h signature.RecipeHeader) jsondoc.Value {
			return ref("#/components/parameters/" + h.Name)
		})),
		member("requestBody", object(member("required", yes()), member("content", object(member(json, media))))),
		member("responses", responses),
	)
}

func (d describer) recipe() signature.Recipe {
	if d.c.Signature == nil {
		return signature.Recipe{}
	}
	return d.c.Signature.Scheme.Recipe()
}

// examples are the documented payloads.
func (d describer) examples() jsondoc.Value {
	out := object()
	for _, st := range d.c.States() {
		members := []jsondoc.Member{text("summary", summary(st)), member("value", st.Sample)}
		out.Members = append(out.Members, member(name(st), object(append(members, basis(st.Source, st.Derived)...)...)))
	}
	return out
}

// headers are those that a signature comes in.
func (d describer) headers() jsondoc.Value {
	out := object()
	for _, h := range d.recipe().Headers {
		out.Members = append(out.Members, member(h.Name, object(append([]jsondoc.Member{
			text("name", h.Name), text("in", "header"), member("required", yes()), text("description", h.Meaning),
			member("schema", object(text("type", "string"), text("pattern", h.Pattern))),
		}, basis(d.c.Signature.Source, "")...)...)))
	}
	return out
}

// responses are the documented answers, by their status.
func (d describer) responses() jsondoc.Value {
	out := object()
	for _, r := range reactions(d.c) {
		examples := object()
		for _, a := range r.answers {
			members := []jsondoc.Member{text("summary", a.Meaning), member("value", a.Answer.Body)}
			examples.Members = append(examples.Members, member(a.Name, object(append(members, basis(a.Answer.Source, a.Answer.Derived)...)...)))
		}
		media := object(member("schema", object(text("type", "object"))), member("examples", examples))
		out.Members = append(out.Members, member(strconv.Itoa(r.status), object(
			text("description", r.reason()+": "+r.meaning()),
			member("content", object(member(json, media))),
		)))
	}
	return out
}
