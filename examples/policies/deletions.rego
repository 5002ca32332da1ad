# One plan destroys at most a few resources. More of them are a mistake: a count or a for_each that has
# become empty, a module that was renamed without a moved block.
package main

deny_deletions contains msg if {
	destroyed := [r | some r in input.resource_changes; r.mode == "managed"; "delete" in r.change.actions]
	count(destroyed) > max_deletions
	msg := sprintf("%d resources would be destroyed or replaced, and at most %d may be", [count(destroyed), max_deletions])
}

default max_deletions := 0

max_deletions := data.settings.deletions
