# Each story has its own, since all share an account.
variable "name" {}
variable "cidr" {}
variable "zones" {
  type = list(string)
}
variable "services" {
  type = map(object({ days = number }))
}
