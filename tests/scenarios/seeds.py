"""The systems that must be governed here, row by row, and the scenarios that tell each.

`tests/project/test_seeds.py` sees to it that every row has one and that every scenario is on this list.
"""

from typing import Final

from msgspec import Struct


class Row(Struct, frozen=True):
    """What a document describes, and the scenarios for it: `module::test`, in tests/scenarios."""

    says: str
    told_by: tuple[str, ...]


A: Final = (
    Row(
        "Three ways out: an address per machine, a load balancer's outbound rules, a NAT gateway",
        ("test_seed_a::test_seed_a_each_way_out_is_named",),
    ),
    Row(
        "An address per machine costs more, exposes it, and makes firewall rules elsewhere impossible",
        (
            "test_seed_a::test_seed_a_a_machines_own_address_goes_and_comes_back",
            "test_addresses::test_seed_a_a_machine_with_an_address_of_its_own_from_creation_to_proof",
            "test_addresses::test_seed_a_a_machine_that_left_by_its_own_address_gets_the_shared_way_and_then_loses_it",
            "test_addresses::test_seed_a_the_address_comes_back_when_that_is_undone",
            "test_addresses::test_seed_a_the_address_comes_back_when_the_run_that_took_it_died",
            "test_addresses::test_seed_a_nodes_with_addresses_are_found_on_their_scale_set_which_is_never_written",
        ),
    ),
    Row(
        "The way by a load balancer ends when the ingress turns internal or goes away",
        (
            "test_seed_a::test_seed_a_the_way_by_a_load_balancer_ends_with_its_public_frontend",
            "test_addresses::test_seed_a_a_public_load_balancer_is_found_by_its_event_and_by_no_other_network",
        ),
    ),
    Row(
        "One NAT gateway shared by all node pools",
        (
            "test_seed_a::test_seed_a_one_nat_gateway_is_shared_by_all_subnets",
            "test_seed_a::test_seed_a_each_subnet_has_a_gateway_of_its_own_where_the_name_says_so",
            "test_seed_a::test_seed_a_the_subnet_of_a_new_pool_joins_once_its_network_has_settled",
        ),
    ),
    Row(
        "Customers no longer know their egress address",
        (
            "test_notices::test_seed_a_customers_are_told_their_new_address_and_the_allow_list_has_it",
            "test_seed_a::test_seed_a_what_is_occupied_is_asked_about_first",
        ),
    ),
)
B: Final = (
    Row(
        "Default: a public address on the Standard load balancer carries egress",
        (
            "test_seed_b::test_seed_b_egress_by_the_load_balancer_is_a_violation_with_that_evidence",
            "test_clusters::test_seed_b_a_cluster_made_as_the_portal_proposes_leaves_by_the_nat_gateway_of_its_network",
        ),
    ),
    Row(
        "0.0.0.0/0 to the firewall's private address in the hub",
        (
            "test_seed_b::test_seed_b_the_route_to_the_firewall_is_written_attached_and_proven",
            "test_seed_b::test_seed_b_what_no_machine_tells_is_proven_by_its_configuration_only",
            "test_seed_b::test_seed_b_a_machine_that_does_not_run_tells_no_routes",
        ),
    ),
    Row(
        "outboundType userDefinedRouting; no public address on the load balancer",
        (
            "test_seed_b::test_seed_b_a_cluster_gets_its_route_and_then_its_type_and_what_it_leaves_is_governed",
            "test_clusters::test_seed_b_a_cluster_behind_the_hub_gets_route_and_type_in_one_run",
        ),
    ),
    Row(
        "Only internal load balancers, by Azure Policy",
        (
            "test_request_time_kept::test_seed_b_only_internal_load_balancers_by_the_built_in_policy_which_is_kept",
            "test_services::test_seed_c_a_webhook_annotates_services_of_type_load_balancer_by_label_rules",
            "test_addresses::test_seed_a_a_public_load_balancer_is_found_by_its_event_and_by_no_other_network",
        ),
    ),
    Row(
        "Ingress through an application gateway with firewall in a subnet of its own",
        (
            "test_audits::test_seed_b_what_is_wrong_with_the_way_in_is_told_and_left_to_its_owner",
            "test_audits::test_seed_b_a_sweep_tells_the_same_of_the_way_in",
            "test_seed_b::test_seed_b_the_subnet_of_the_gateway_is_never_sent_to_an_appliance",
            "test_seed_b::test_seed_b_front_door_by_a_private_link_counts_as_a_way_in",
        ),
    ),
    Row(
        "Enough addresses on the firewall, and the rules that the enabled add-ons need",
        (
            "test_seed_b::test_seed_b_a_firewall_with_too_few_addresses_for_those_behind_it_is_found",
            "test_seed_d::test_seed_d_a_new_cluster_gets_its_peering_and_no_route_before_the_rules_are_known",
        ),
    ),
)
C: Final = (
    Row(
        "Three methods of outbound connectivity and their precedence",
        ("test_seed_c::test_seed_c_of_several_ways_out_one_wins_and_the_others_wait_behind_it",),
    ),
    Row(
        "Public addresses forbidden by policy",
        (
            "test_request_time_kept::test_seed_c_public_addresses_are_forbidden_once_counted_and_approved",
            "test_request_time::test_azure_policy_denies_what_policies_deny_and_nothing_else",
        ),
    ),
    Row(
        "An internal Standard load balancer gives no outbound",
        (
            "test_seed_c::test_seed_c_behind_an_internal_load_balancer_alone_there_is_no_way_out",
            "test_seed_c::test_seed_c_without_any_way_out_is_what_an_isolated_network_wants",
        ),
    ),
    Row(
        "Nodes go out through a proxy",
        (
            "test_proxy::test_seed_c_a_private_cluster_leaves_by_the_proxy_alone",
            "test_proxy::test_seed_c_all_of_it_is_taken_back",
        ),
    ),
    Row(
        "A webhook annotates Services of type LoadBalancer",
        ("test_services::test_seed_c_a_webhook_annotates_services_of_type_load_balancer_by_label_rules",),
    ),
)
D: Final = (
    Row(
        "Every spoke peers with the hub and routes 0.0.0.0/0 to the firewall",
        ("test_seed_d::test_seed_d_every_spoke_peers_with_the_hub_and_routes_to_its_firewall",),
    ),
    Row(
        "A NAT gateway on the firewall's subnet makes it one address",
        ("test_seed_d::test_seed_d_a_nat_gateway_on_the_firewall_is_one_address_for_all_spokes",),
    ),
    Row(
        "Asymmetric routing breaks inbound through public load balancers",
        (
            "test_seed_d::test_seed_d_lost_replies_are_found_before_the_route_is_attached",
            "test_seed_d::test_seed_d_who_has_been_exempted_has_no_lost_replies_left_to_tell",
        ),
    ),
    Row(
        "Per cluster a network and a route table; shared: firewall and NAT gateway",
        ("test_seed_d::test_seed_d_exactly_what_is_missing_is_made_and_each_cluster_says_what_it_uses",),
    ),
    Row(
        "The identity needs permission on the route table",
        ("test_seed_d::test_seed_d_a_permission_that_is_missing_on_a_route_table_is_said_with_its_scope",),
    ),
    Row(
        "50 clusters per region, 40 machines each; new clusters get it automatically",
        ("test_seed_d::test_seed_d_a_cluster_costs_the_same_however_many_there_are",),
    ),
    Row(
        "New clusters immediately get the peering and the firewall rules",
        ("test_seed_d::test_seed_d_a_new_cluster_gets_its_peering_and_no_route_before_the_rules_are_known",),
    ),
)
SEEDS: Final = {"a": A, "b": B, "c": C, "d": D}
