package report

import "fmt"

// BuiltFile is a file that Git does not have, and that travels with a plan.
type BuiltFile struct {
	Name string
	Size int64 // bytes
}

// built lists the files that travel with the plan. Nobody has reviewed them.
func (s Subject) built() *part {
	if len(s.Built) == 0 {
		return nil
	}
	var all int64
	p := &part{name: "the built files", rank: rankOutput, open: "| File | Size |\n| :-- | --: |\n", close: "\n"}
	for _, f := range s.Built {
		all += f.Size
		name := clip(f.Name, maxName)
		p.items = append(p.items, item{
			full:  "| " + Cell(name) + " | " + Size(f.Size) + " |\n",
			brief: string(appendVisible(nil, name+": "+Size(f.Size), inline)),
		})
	}
	p.title = "### Built files: " + comma(len(s.Built)) + ", " + Size(all) + "\n\n" +
		"They travel with the plan. Git does not have them, so nothing compares them with what was reviewed.\n\n"
	if len(s.Built) > foldAt {
		p.open = "<details><summary>Show all</summary>\n\n" + p.open
		p.close += "</details>\n\n"
	}
	return p
}

// Size is a number of bytes for people.
func Size(n int64) string {
	switch {
	case n < 1<<10:
		return count(int(n), "byte")
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
}
