package inventory

import "strings"

// SplitPlanFile splits a pattern of plan-files into the exclamation mark that it may begin
// with, and the glob.
func SplitPlanFile(pattern string) (out, glob string) {
	if glob, is := strings.CutPrefix(pattern, "!"); is {
		return "!", glob
	}
	return "", pattern
}
