package markdown

// Alert returns a part in one of the boxes that GitHub draws, such as CAUTION: a first line,
// then a list. The lines are Markdown. Without any line it returns nil.
// https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#alerts
func Alert(r Rank, kind, name, first string, lines []string) *Part {
	if first == "" && len(lines) == 0 {
		return nil
	}
	p := &Part{Name: name, Rank: r, Open: "> [!" + kind + "]\n", Close: "\n"}
	prefix := "> "
	if first != "" {
		p.Open += "> " + first + "\n"
		if len(lines) > 0 {
			p.Open += ">\n"
		}
	}
	if len(lines) > 1 || first != "" {
		prefix = "> - "
	}
	for _, l := range lines {
		p.Items = append(p.Items, Item{Full: prefix + l + "\n"})
	}
	return p
}
