package report

import (
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// diagnostics are the parts for Terraform's errors, which are open, and for its warnings, which
// are folded.
func diagnostics(all []terraform.Diagnostic) (errors, warnings *markdown.Part) {
	errors = &markdown.Part{Name: "errors", Rank: markdown.RankError}
	warnings = &markdown.Part{Name: "warnings", Rank: markdown.RankWarning}
	for _, d := range all {
		body := diagnosticBody(d)
		brief := d.Summary
		if at := place(d); at != "" {
			brief = at + ": " + brief
		}
		it := markdown.Item{Brief: string(markdown.AppendVisible(nil, markdown.Clip(brief, markdown.MaxName), markdown.Inline))}
		if d.Severity == "error" {
			it.Full = "#### Error: " + markdown.Text(markdown.Clip(d.Summary, 2*markdown.MaxName)) + "\n\n" + body
			errors.Items = append(errors.Items, it)
			continue
		}
		it.Full = "<details><summary>" + markdown.Element(markdown.Clip(d.Summary, markdown.MaxName)) + "</summary>\n\n" + body + "</details>\n\n"
		warnings.Items = append(warnings.Items, it)
	}
	if n := len(warnings.Items); n > 0 {
		warnings.Title = "### Warnings: " + markdown.Comma(n) + "\n\n"
	}
	return errors, warnings
}

// hints are what Terraform does not know about a run in a workflow, by the summary of its
// error.
var hints = map[string]string{
	"No value for required variable": "In a workflow, set the variable as `TF_VAR_name` in the `env` of the jobs that plan and apply, or list a file in `var-files`. A reusable workflow gets no `env` and no secrets of its caller by itself.",
}

func diagnosticBody(d terraform.Diagnostic) string {
	var b strings.Builder
	at := place(d)
	switch {
	case at != "" && d.Address != "":
		b.WriteString("At " + markdown.Code(markdown.Clip(at, markdown.MaxName)) + ", for " + markdown.Code(markdown.Clip(d.Address, markdown.MaxName)) + ":\n\n")
	case at != "":
		b.WriteString("At " + markdown.Code(markdown.Clip(at, markdown.MaxName)) + ":\n\n")
	case d.Address != "":
		b.WriteString("For " + markdown.Code(markdown.Clip(d.Address, markdown.MaxName)) + ":\n\n")
	}
	if d.Snippet != "" {
		b.WriteString(markdown.Fence("hcl", markdown.Clip(d.Snippet, markdown.MaxValue)) + "\n")
	}
	b.WriteString(markdown.Paragraphs(markdown.Clip(d.Detail, 2*markdown.MaxValue), markdown.Text))
	if hint := hints[d.Summary]; hint != "" && d.Severity == "error" {
		b.WriteString(markdown.Text(hint) + "\n\n")
	}
	return b.String()
}

func place(d terraform.Diagnostic) string {
	if d.File == "" || d.Line == 0 {
		return d.File
	}
	return fmt.Sprintf("%s:%d", d.File, d.Line)
}
