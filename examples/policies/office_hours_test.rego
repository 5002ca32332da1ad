package main_test

import data.main

at(time) := {"phase": "apply", "time": time, "counts": {"update": 1, "noOp": 4}}

# It is an hour later in Berlin in winter, and two in summer.
test_wednesday_morning_is_open if {
	count(main.deny_office_hours) == 0 with data.gitops as at("2026-12-02T08:00:00Z")
}

test_summer_time_counts if {
	count(main.deny_office_hours) == 0 with data.gitops as at("2026-07-01T07:00:00Z")
}

test_too_early_is_denied if {
	some msg in main.deny_office_hours with data.gitops as at("2026-12-02T07:59:59Z")
	startswith(msg, "Wednesday, 2026-12-02 08:59 is outside of the office hours: Monday")
}

test_sixteen_o_clock_is_denied if {
	count(main.deny_office_hours) == 1 with data.gitops as at("2026-12-02T15:00:00Z")
}

test_friday_is_denied if {
	count(main.deny_office_hours) == 1 with data.gitops as at("2026-12-04T10:00:00Z")
}

test_a_holiday_is_denied if {
	count(main.deny_office_hours) == 1 with data.gitops as at("2026-12-24T10:00:00Z")
}

test_a_plan_gets_a_warning if {
	friday := object.union(at("2026-12-04T10:00:00Z"), {"phase": "plan"})
	count(main.deny_office_hours) == 0 with data.gitops as friday
	count(main.warn_office_hours) == 1 with data.gitops as friday
}

test_nothing_to_change_is_allowed if {
	friday := object.union(at("2026-12-04T10:00:00Z"), {"counts": {"update": 0, "noOp": 4}})
	count(main.deny_office_hours) == 0 with data.gitops as friday
}

test_without_settings_is_denied if {
	count(main.deny_office_hours) == 1 with data.gitops as at("2026-12-02T10:00:00Z") with data.settings as {}
}
