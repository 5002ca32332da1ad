output "oidc_provider_arn" {
  description = "ARN of the account's identity provider for GitHub's tokens."
  value       = module.roles.oidc_provider_arn
}

output "role_arns" {
  description = "ARNs of the roles that Terraform plans and applies with."
  value       = [module.roles.plan_role_arn, module.roles.apply_role_arn]
}

output "readable_states" {
  description = "The states that the other account's roles may read, and their key."
  value       = { objects = local.readable, kms_key_arn = aws_kms_key.state.arn }
}

output "subjects" {
  description = "Subjects of the tokens that may plan and apply."
  value       = module.roles.subjects
}

output "stack_settings" {
  description = "Settings of each of the account's stacks in `gitops.yaml`."
  value = {
    environment = var.settings.environment
    role        = { plan = module.roles.plan_role_arn, apply = module.roles.apply_role_arn }
    # Locks are objects beside the states: Terraform and OpenTofu 1.10 and newer.
    backend-config = [
      "bucket=${aws_s3_bucket.state.id}", "region=${aws_s3_bucket.state.region}", "use_lockfile=true",
      "key={stack}/{component}.tfstate",
    ]
  }
}
