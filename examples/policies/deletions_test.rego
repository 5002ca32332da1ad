package main_test

import data.main

deleted(n) := {"resource_changes": [{"mode": "managed", "type": "t", "address": sprintf("t.r[%d]", [i]), "change": {"actions": ["delete"]}} | some i in numbers.range(1, n)]}

test_five_deletions_are_allowed if {
	count(main.deny_deletions) == 0 with input as deleted(5)
}

test_six_deletions_are_denied if {
	main.deny_deletions == {"6 resources would be destroyed or replaced, and at most 5 may be"} with input as deleted(6)
}

test_without_settings_none_is_allowed if {
	count(main.deny_deletions) == 1 with input as deleted(1) with data.settings as {}
}
