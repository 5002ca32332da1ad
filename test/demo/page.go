package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"os"
	"slices"
	"time"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed github-markdown.css
	githubCSS []byte
)

// page becomes index.html: what people see on GitHub, step by step. It loads nothing, and has no
// scripts.
type page struct {
	Terraform string // version
	Verdict   string
	Steps     []*shownStep
	current   *shownStep
	err       error // about the first text that can't be shown
}

type shownStep struct {
	Number int
	Title  string
	outcome
	Shown []shown
}

// shown is a job's summary or an issue.
type shown struct {
	// Of a summary.
	Run     int
	Action  string
	Summary template.HTML

	// Of an issue.
	When   string // when it is shown
	Issue  fakegithub.Issue
	Thread []entry
}

// entry is one thing in an issue: a text, or an event in a line.
type entry struct {
	At     time.Time
	Author string
	Text   template.HTML
	Event  string
	Label  string
}

func (p *page) begin(number int, title string) {
	p.current = &shownStep{Number: number, Title: title}
}

func (p *page) end(out outcome) {
	p.current.outcome = out
	p.Steps = append(p.Steps, p.current)
	p.current = nil
}

func (p *page) summary(r ran) {
	p.current.Shown = append(p.current.Shown, shown{Run: r.id, Action: r.action, Summary: p.render(r.summary)})
}

// issue adds an issue with its texts and events, in order.
func (p *page) issue(when string, r *fakegithub.Repository, number int) {
	i, _ := r.Issue(number)
	thread := []entry{{At: i.Created, Author: i.Author, Text: p.render(i.Body)}}
	for _, c := range r.Comments(number) {
		thread = append(thread, entry{At: c.Created, Author: c.Author, Text: p.render(c.Body)})
	}
	for _, e := range r.Events(number) {
		event := map[string]string{"labeled": "added", "unlabeled": "removed", "closed": "closed this", "reopened": "reopened this"}[e.Kind]
		thread = append(thread, entry{At: e.At, Author: e.Actor, Event: event, Label: e.Label})
	}
	slices.SortStableFunc(thread[1:], func(a, b entry) int { return a.At.Compare(b.At) })
	p.current.Shown = append(p.current.Shown, shown{When: when, Issue: i, Thread: thread})
}

func (p *page) render(text string) template.HTML {
	html, err := render(text)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("show Markdown as HTML: %w", err)
	}
	return html
}

func (p *page) write(file string) error {
	if p.err != nil {
		return p.err
	}
	if p.current != nil { // the step that failed
		p.Steps = append(p.Steps, p.current)
	}
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, map[string]any{"Page": p, "Style": template.CSS(string(githubCSS) + pageCSS), "Repository": repository}); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
