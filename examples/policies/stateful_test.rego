package main_test

import data.main

database(actions) := {"resource_changes": [{
	"address": "aws_db_instance.main",
	"mode": "managed",
	"type": "aws_db_instance",
	"change": {"actions": actions},
}]}

test_destroying_a_database_is_denied if {
	main.deny_stateful == {"aws_db_instance.main would be destroyed, and its data with it"} with input as database(["delete"])
}

test_replacing_a_database_is_denied if {
	count(main.deny_stateful) == 1 with input as database(["create", "delete"])
}

test_changing_a_database_is_allowed if {
	count(main.deny_stateful) == 0 with input as database(["update"])
}

test_forgetting_a_database_is_allowed if {
	count(main.deny_stateful) == 0 with input as database(["forget"])
}

test_destroying_another_type_is_allowed if {
	count(main.deny_stateful) == 0 with input as database(["delete"]) with data.settings.stateful as ["aws_s3_bucket"]
}

test_without_settings_is_denied if {
	count(main.deny_stateful) == 1 with input as database(["no-op"]) with data.settings as {}
}
