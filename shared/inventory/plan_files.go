package inventory

import "strings"

// SplitPlanFile splits a pattern of plan-files into an exclamation mark, if it begins with
// one, and the glob.
func SplitPlanFile(pattern string) (out, glob string) {
	if glob, is := strings.CutPrefix(pattern, "!"); is {
		return "!", glob
	}
	return "", pattern
}
