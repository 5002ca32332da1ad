package report

import (
	"fmt"
	"strings"

	"github.com/terraform-gitops/gitops/shared/terraform"
)

// diagnostics are the parts for Terraform's errors, open, and its warnings, folded.
func diagnostics(all []terraform.Diagnostic) (errors, warnings *part) {
	errors = &part{name: "errors", rank: rankError}
	warnings = &part{name: "warnings", rank: rankWarning}
	for _, d := range all {
		body := diagnosticBody(d)
		brief := d.Summary
		if at := place(d); at != "" {
			brief = at + ": " + brief
		}
		it := item{brief: string(appendVisible(nil, clip(brief, maxName), inline))}
		if d.Severity == "error" {
			it.full = "#### Error: " + Text(clip(d.Summary, 2*maxName)) + "\n\n" + body
			errors.items = append(errors.items, it)
			continue
		}
		it.full = "<details><summary>" + element(clip(d.Summary, maxName)) + "</summary>\n\n" + body + "</details>\n\n"
		warnings.items = append(warnings.items, it)
	}
	if n := len(warnings.items); n > 0 {
		warnings.title = "### Warnings: " + comma(n) + "\n\n"
	}
	return errors, warnings
}

func diagnosticBody(d terraform.Diagnostic) string {
	var b strings.Builder
	at := place(d)
	switch {
	case at != "" && d.Address != "":
		b.WriteString("At " + Code(clip(at, maxName)) + ", for " + Code(clip(d.Address, maxName)) + ":\n\n")
	case at != "":
		b.WriteString("At " + Code(clip(at, maxName)) + ":\n\n")
	case d.Address != "":
		b.WriteString("For " + Code(clip(d.Address, maxName)) + ":\n\n")
	}
	if d.Snippet != "" {
		b.WriteString(Fence("hcl", clip(d.Snippet, maxValue)) + "\n")
	}
	b.WriteString(paragraphs(clip(d.Detail, 2*maxValue), Text))
	return b.String()
}

func place(d terraform.Diagnostic) string {
	if d.File == "" || d.Line == 0 {
		return d.File
	}
	return fmt.Sprintf("%s:%d", d.File, d.Line)
}

// paragraphs writes prose of several lines: a paragraph for each run of lines,
// and what is indented as code, since its shape matters.
func paragraphs(s string, text func(string) string) string {
	var b strings.Builder
	var run []string
	code := false
	flush := func() {
		if len(run) > 0 && code {
			b.WriteString(Fence("text", strings.Join(run, "\n")) + "\n")
		} else if len(run) > 0 {
			b.WriteString(text(strings.Join(run, " ")) + "\n\n")
		}
		run = run[:0]
	}
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			flush()
			continue
		}
		if indented := line[0] == ' ' || line[0] == '\t'; indented != code {
			flush()
			code = indented
		}
		run = append(run, line)
	}
	flush()
	return b.String()
}
