package planned

import (
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Invocations is the part of the actions that the apply invokes.
func (b *Builder) Invocations() *markdown.Part {
	return b.invocations("Invoke actions", markdown.RankChange, b.Plan.Invocations, b.Plan.Counts.Invoke)
}

// DeferredInvocations is the part of the actions that are put off to a later plan.
func (b *Builder) DeferredInvocations() *markdown.Part {
	return b.invocations("Actions deferred to a later plan", markdown.RankOther, b.Plan.InvocationsDeferred, b.Plan.DeferredInvocations)
}

func (b *Builder) invocations(title string, rank markdown.Rank, list []changes.Invocation, total int) *markdown.Part {
	if total == 0 {
		return nil
	}
	p := &markdown.Part{Name: strings.ToLower(title), Rank: rank}
	for i := range list {
		v := &list[i]
		name := markdown.Clip(v.Address, markdown.MaxName)
		it := markdown.Item{Brief: string(markdown.AppendVisible(nil, name+": "+when(v, plain), markdown.Inline))}
		if b.Room > 0 {
			why := when(v, func(s string) string { return markdown.Element(markdown.Clip(s, markdown.MaxName)) })
			if diff := diffOf(settings(v)); len(diff) > 0 {
				it.Full = "<details><summary>" + markdown.Element(name) + ": " + why + "</summary>\n\n" + markdown.FenceVisible("diff", diff) + "\n</details>\n\n"
			} else {
				it.Full = "- " + markdown.Element(name) + ": " + why + "\n"
			}
			b.Room -= len(it.Full)
		}
		p.Items = append(p.Items, it)
	}
	head(p, title, total)
	return p
}

// plain leaves a name as it is.
func plain(s string) string { return markdown.Clip(s, markdown.MaxName) }

// when says what invokes an action, and when, with names written by code.
func when(v *changes.Invocation, code func(string) string) string {
	// https://developer.hashicorp.com/terraform/language/block/resource#events
	events := map[string]string{
		"BeforeCreate": "before %s is created", "AfterCreate": "after %s is created",
		"BeforeUpdate": "before %s is changed", "AfterUpdate": "after %s is changed",
		"BeforeDestroy": "before %s is destroyed", "AfterDestroy": "after %s is destroyed",
	}
	text, known := events[v.Event]
	switch {
	case v.Trigger == "" && v.Event == "":
		text = "by -invoke"
	case v.Event == "":
		text = "by -invoke, for " + code(v.Trigger)
	case v.Trigger == "":
		text = "on " + code(v.Event)
	case known:
		text = strings.Replace(text, "%s", code(v.Trigger), 1)
	default:
		text = "on " + code(v.Event) + " of " + code(v.Trigger)
	}
	if v.Reason != "" {
		why := reason(v.Reason)
		if why == "" {
			why = code(v.Reason)
		}
		text += ": " + why
	}
	return text
}

// settings are an action's settings as what is new of a resource.
func settings(v *changes.Invocation) *changes.Resource {
	return &changes.Resource{Action: changes.Create, Attributes: v.Settings, AttributesOmitted: v.SettingsOmitted}
}

// whatIsUnknown is said before the names of what this version does not know.
const whatIsUnknown = "The plan has parts that this version does not know. They are not shown here: read them in the plan as JSON before you approve it."

// Unknown is the alert that names the parts of a plan that this version does not know.
func Unknown(c *changes.Plan) *markdown.Part {
	var lines []string
	for _, name := range c.Unknown {
		lines = append(lines, markdown.Code(name))
	}
	if len(lines) == 0 {
		return nil
	}
	if c.UnknownOmitted > 0 {
		lines = append(lines, markdown.Comma(c.UnknownOmitted)+" more")
	}
	return markdown.Alert(markdown.RankAlert, "WARNING", "what this version does not know", "**"+whatIsUnknown+"**", lines)
}
