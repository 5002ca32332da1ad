package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
)

// Entry is what the overview of [Many] says about one target.
type Entry struct {
	Component, Stack string
	Status           Status
	Counts           changes.Counts // what the plan would do; once it succeeded, what it did
	Digest           string         // hex SHA-256 of the planfile; only [WouldApply] shows it
	Ignored          int            // differences that drift.ignore ignores
	// Note says why, in a line: the error, the target that it waits for, who holds the lock.
	Note string
	// TerraformName, TerraformVersion and AtmosVersion are the programs that planned it.
	TerraformName, TerraformVersion, AtmosVersion string
	// Cautions are the cautions of the target's report: see [Subject].
	Cautions []string
	// Applies: once the pull request is merged, the stored plan is applied, in a job of the GitHub
	// environment Environment; if that is empty, of the apply workflow's own.
	Applies     bool
	Environment string
	// Policy is what the policies say of the plan, and BasePolicy what those of the base say, if the
	// pull request changes them. Both are empty without policies.
	Policy, BasePolicy policy.Result
	// Overriders are the teams whose members can let the denied plan through.
	Overriders []string
	// Needs says which approvals are missing, in a line; empty if none is.
	Needs string
	// Unknown are what of policies and approvals can't be found out, as in [Subject].
	Unknown []string
	// Told: Note says all that the target's report says. The report is shown only if this is
	// the only target.
	Told bool
}

// maxNote is how many bytes of a note are kept.
const maxNote = 2 * markdown.MaxName

// class is how much attention a target needs, the worst first.
type class uint8

const (
	classFailed class = iota
	classDenied
	classRefused
	classBlocked
	classWaiting
	classDestroys
	classReplaces
	classForgets
	classChanges
	classSelected
	classNoChanges
	classSkipped
	classDeleted
	classes // how many there are
)

func (e Entry) class() class {
	switch e.Status {
	case Planned, Succeeded:
		switch {
		case e.Counts.Delete > 0:
			return classDestroys
		case e.Counts.Replace > 0:
			return classReplaces
		case e.Counts.Forget > 0:
			return classForgets
		}
		return classChanges
	case Denied:
		return classDenied
	case Refused:
		return classRefused
	case Blocked:
		return classBlocked
	case Waiting:
		return classWaiting
	case Selected:
		return classSelected
	case NoChanges:
		return classNoChanges
	case Skipped:
		return classSkipped
	case Deleted:
		return classDeleted
	}
	return classFailed
}

// trouble reports whether something has to be done about the target.
func (c class) trouble() bool { return c <= classWaiting }

// toldBelow reports whether the report says all that the note says.
func (c class) toldBelow() bool { return c == classFailed || c == classRefused }

// worstFirst orders the entries of a table: the worst first, then by name.
func worstFirst(a, b *row) int {
	return cmp.Or(
		cmp.Compare(a.class(), b.class()),
		cmp.Compare(b.Counts.Destroys(), a.Counts.Destroys()),
		cmp.Compare(a.Component, b.Component),
		cmp.Compare(a.Stack, b.Stack),
	)
}

// name is the target, each of its names written by code: [markdown.Code] or a function like it.
func (e Entry) name(code func(string) string) string {
	name := code(markdown.Clip(e.Component, markdown.MaxName))
	if e.Stack != "" {
		name += " in " + code(markdown.Clip(e.Stack, markdown.MaxName))
	}
	return name
}

// what says what happened to the target, in a word or in numbers, for a table.
func (e Entry) what() string {
	switch c := e.class(); {
	case c == classFailed:
		return "❌ **" + e.plain() + "**"
	case c == classWaiting:
		return "⏳ **" + e.plain() + "**"
	case c == classDenied:
		return Numbers(e.Counts) // another column has the verdict
	case c.trouble():
		return "⛔ **" + e.plain() + "**"
	case c == classDestroys || c == classReplaces || c == classForgets || c == classDeleted:
		return "**" + e.plain() + "**"
	}
	return e.plain()
}

// policy is what the policies say, for a table.
func (e Entry) policy() string {
	switch e.Policy {
	case policy.Denied:
		return "⛔ **denied**"
	case policy.Warned:
		return "⚠️ warned"
	}
	return string(e.Policy)
}

// plain is what as plain text.
func (e Entry) plain() string {
	switch e.class() {
	case classDenied:
		return "denied"
	case classRefused:
		return "refused"
	case classBlocked:
		return "blocked"
	case classWaiting:
		return "waiting"
	case classSelected:
		return "selected"
	case classNoChanges:
		return "no changes"
	case classSkipped:
		return "skipped"
	case classDeleted:
		return "no longer in Git"
	case classFailed:
		return "failed"
	}
	return Numbers(e.Counts)
}

// Numbers are counts as +1 ~2 -3, in words for what these signs do not cover, without zeros.
func Numbers(n changes.Counts) string {
	var signs, list []string
	for _, m := range []struct {
		sign string
		n    int
	}{{"+", n.Adds()}, {"~", n.Changes()}, {"-", n.Destroys()}} {
		if m.n > 0 {
			signs = append(signs, m.sign+markdown.Comma(m.n))
		}
	}
	if len(signs) > 0 {
		list = append(list, strings.Join(signs, " "))
	}
	for _, m := range []struct {
		n    int
		what string
	}{
		{n.Replace, "replaced"},
		{n.Forget, "forgotten"},
		{n.Import, "imported"},
		{n.Move, "moved"},
		{n.Deferred, "deferred"},
		{n.Drift, "changed outside Terraform"},
	} {
		if m.n > 0 {
			list = append(list, markdown.Comma(m.n)+" "+m.what)
		}
	}
	if n.Outputs > 0 {
		list = append(list, markdown.Count(n.Outputs, "output"))
	}
	if n.Invoke > 0 {
		list = append(list, markdown.Count(n.Invoke, "action"))
	}
	if len(list) == 0 {
		return "no changes"
	}
	return strings.Join(list, ", ")
}

// programs are the programs that planned the target, as Markdown; empty if not known.
func (e Entry) programs() string {
	list := program(e.TerraformName, e.TerraformVersion, markdown.Code)
	if e.AtmosVersion != "" {
		list += ", Atmos " + markdown.Code(e.AtmosVersion)
	}
	return strings.TrimPrefix(list, ", ")
}

// row is an entry, and where its report is in the file.
type row struct {
	Entry
	forms []stored
	// below: the report in the summary says all that Note says.
	below bool
	// told: an alert of the overview says all that Note says.
	told bool
	// programs is a line below the report, if other programs planned it than most targets.
	programs string
}

// sorted returns the rows, the worst first.
func sorted(rows []row) []*row {
	list := make([]*row, len(rows))
	for i := range rows {
		list[i] = &rows[i]
	}
	slices.SortFunc(list, worstFirst)
	return list
}
