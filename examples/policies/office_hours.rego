# Changes are applied in office hours only, when somebody is there who can help. A plan outside of them
# gets a warning, and can be applied later.
package main

deny_office_hours contains closed if {
	data.gitops.phase == "apply"
	changes_something
}

warn_office_hours contains closed if {
	data.gitops.phase != "apply"
	changes_something
}

# Without settings nothing would be checked.
deny_office_hours contains "data.settings.office_hours is missing" if not data.settings.office_hours

closed := sprintf("%s is outside of the office hours: %s", [local_time, opening]) if not open

open if {
	hours := data.settings.office_hours
	now := [time.parse_rfc3339_ns(data.gitops.time), hours.zone]
	time.weekday(now) in hours.days
	[hour, _, _] := time.clock(now)
	hour >= hours.from
	hour < hours.to
	not time.format([now[0], now[1], "2006-01-02"]) in hours.holidays
}

local_time := time.format([time.parse_rfc3339_ns(data.gitops.time), data.settings.office_hours.zone, "Monday, 2006-01-02 15:04"])

opening := sprintf("%s, %d to %d o'clock (%s)", [concat(", ", hours.days), hours.from, hours.to, hours.zone]) if {
	hours := data.settings.office_hours
}

changes_something if {
	some name, n in data.gitops.counts
	not name in {"noOp", "read", "drift", "deferred"}
	n > 0
}
