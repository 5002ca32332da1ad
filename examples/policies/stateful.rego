# No resource that holds data is destroyed or replaced.
package main

deny_stateful contains msg if {
	some r in input.resource_changes
	r.mode == "managed"
	"delete" in r.change.actions
	r.type in data.settings.stateful
	msg := sprintf("%s would be destroyed, and its data with it", [r.address])
}

# Without the list nothing would be checked.
deny_stateful contains "data.settings.stateful is missing" if not data.settings.stateful
