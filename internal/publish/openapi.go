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
func openAPI(c *contract.Contract, o Options) (*jsondoc.Value, error) {
	d := describer{c: c, shared: newLibrary(c, "#/components/schemas/"), ids: names{}}
	webhooks, paths := object(), object()
	for _, event := range c.EventNames() {
		states := c.Event(event)
		item := object("post", d.operation("on "+event, event, states), "x-path", states[0].Path)
		put(webhooks, event, item)
	}
	for _, path := range c.Paths() {
		states := slices.DeleteFunc(c.States(), func(st *contract.State) bool { return st.Path != path })
		put(paths, path, object("post", d.operation("receive "+path, eventsOf(states), states)))
	}
	return object(
		"openapi", "3.1.0",
		"info", object("title", c.Name, "version", version(c), "description", rules(c)),
		"servers", array(object("url", "{endpoint}", "description", "the receiver", "variables", object(
			"endpoint", object("default", o.Endpoint, "description", "where the receiver is"),
		))),
		"tags", each(c.Subjects, func(s *contract.Subject) *jsondoc.Value {
			return object("name", s.Name, "description", s.Meaning)
		}),
		"security", array(), // a signature is no credential that OpenAPI knows
		"paths", paths,
		"webhooks", webhooks,
		"components", object(
			"schemas", d.shared.all(),
			"examples", d.examples(),
			"parameters", d.headers(),
			"responses", d.responses(),
		),
		"x-delivery", delivery(c),
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
	c      *contract.Contract
	shared *library
	ids    names // of operations and channels
}

// operation is the delivery of one of the events that report these states.
func (d describer) operation(id, events string, states []*contract.State) *jsondoc.Value {
	var lines, tags []string
	examples := object()
	for _, st := range states {
		lines = append(lines, "- "+summary(st))
		if !slices.Contains(tags, st.Subject.Name) {
			tags = append(tags, st.Subject.Name)
		}
		put(examples, name(st), ref("#/components/examples/"+name(st)))
	}
	media := object("schema", d.shared.oneOf(states), "examples", examples)
	responses := object()
	for _, r := range reactions(d.c) {
		status := strconv.Itoa(r.status)
		put(responses, status, ref("#/components/responses/"+status))
	}
	return object(
		"operationId", d.ids.free(camel(id)),
		"summary", events,
		"description", strings.Join(lines, "\n"),
		"tags", each(tags, str),
		"parameters", some(d.recipe().Headers, func(h signature.RecipeHeader) *jsondoc.Value {
			return ref("#/components/parameters/" + h.Name)
		}),
		"requestBody", object("required", yes(), "content", object(json, media)),
		"responses", responses,
	)
}

func (d describer) recipe() signature.Recipe {
	if d.c.Signature == nil {
		return signature.Recipe{}
	}
	return d.c.Signature.Scheme.Recipe()
}

// examples are the documented payloads.
func (d describer) examples() *jsondoc.Value {
	out := object()
	for _, st := range d.c.States() {
		put(out, name(st), object("summary", summary(st), "value", &st.Sample, "x-source", st.Source, "x-derived", st.Derived))
	}
	return out
}

// headers are those that a signature comes in; nil where nothing is signed.
func (d describer) headers() *jsondoc.Value {
	if d.c.Signature == nil {
		return nil
	}
	out := object()
	for _, h := range d.recipe().Headers {
		put(out, h.Name, object(
			"name", h.Name, "in", "header", "required", yes(), "description", h.Meaning,
			"schema", object("type", "string", "pattern", h.Pattern), "x-source", d.c.Signature.Source,
		))
	}
	return out
}

// responses are the documented answers, by their status.
func (d describer) responses() *jsondoc.Value {
	out := object()
	for _, r := range reactions(d.c) {
		examples := object()
		for _, a := range r.answers {
			put(examples, a.Name, object("summary", a.Meaning, "value", &a.Answer.Body, "x-source", a.Answer.Source, "x-derived", a.Answer.Derived))
		}
		media := object("schema", object("type", "object"), "examples", examples)
		put(out, strconv.Itoa(r.status), object("description", r.reason()+": "+r.meaning(), "content", object(json, media)))
	}
	return out
}
