"""A book small enough to work out by hand: two customers, two dogs, two policies, one clinic."""

from __future__ import annotations

CUSTOMERS = """customer_id,first_name,last_name,email,phone,address,city,state,zip_code,date_of_birth,customer_since,preferred_contact,marketing_opt_in,referral_source,updated_at
CU-1,Ada,Moss,ada@example.com,555-0100,1 Elm St,Austin,TX,73301,1980-01-01,2024-01-01,email,true,web,2026-01-01T00:00:00Z
CU-2,Ben,Ford,ben@example.com,555-0101,2 Elm St,Austin,TX,73301,1985-01-01,2024-01-01,email,false,web,2026-01-01T00:00:00Z
"""  # noqa: E501 - a CSV header is one line
PETS = """pet_id,customer_id,pet_name,species,breed,gender,date_of_birth,weight_kg,is_neutered,microchip_id,pre_existing_conditions,condition_onset_on,adopted_on,is_active,updated_at
PE-1,CU-1,Rex,Dog,Beagle,M,2021-05-01,12.5,true,985000000000001,,,2021-07-01,true,2026-01-01T00:00:00Z
PE-2,CU-2,Ivy,Dog,Poodle,F,2022-05-01,9.5,true,985000000000002,,,2022-07-01,true,2026-01-01T00:00:00Z
"""  # noqa: E501
POLICIES = """policy_id,policy_number,customer_id,pet_id,plan_name,monthly_premium,annual_deductible,reimbursement_pct,annual_limit,effective_date,expiration_date,cancellation_date,status,accident_wait_days,illness_wait_days,orthopedic_wait_days,includes_wellness,includes_dental,payment_frequency,renewal_count,updated_at
PO-1,PN-1,CU-1,PE-1,Standard,60.80,100.00,80,,2026-01-01,2027-01-01,,Active,0,14,30,false,false,monthly,0,2026-01-01T00:00:00Z
PO-2,PN-2,CU-2,PE-2,Standard,30.40,100.00,80,,2026-01-01,2027-01-01,,Active,0,14,30,false,false,monthly,0,2026-01-01T00:00:00Z
"""  # noqa: E501
VET_PROVIDERS = """provider_id,provider_name,provider_type,city,state,zip_code,is_in_network,average_rating,accepts_emergency,license_number,updated_at
VP-1,Elm Clinic,Clinic,Austin,TX,73301,true,4.5,true,LIC-1,2026-01-01T00:00:00Z
"""  # noqa: E501
FILES = {
    "customers/customers.csv": CUSTOMERS,
    "pets/pets.csv": PETS,
    "policies/policies.csv": POLICIES,
    "vet_providers/vet_providers.csv": VET_PROVIDERS,
}


def claim(claim_id: str, **changes: str | None) -> dict[str, str | None]:
    """A paid claim of the first dog; `changes` override or add fields."""
    return {
        "claim_id": claim_id,
        "claim_number": f"N-{claim_id}",
        "policy_id": "PO-1",
        "pet_id": "PE-1",
        "customer_id": "CU-1",
        "provider_id": "VP-1",
        "claim_type": "Accident",
        "claim_category": "Injury",
        "diagnosis_code": "INJ-01",
        "diagnosis": "Laceration",
        "service_date": "2026-03-10",
        "submitted_date": "2026-03-11",
        "decision_date": "2026-03-13",
        "payment_date": "2026-03-14",
        "claim_amount": "300.00",
        "approved_amount": "160.00",
        "paid_amount": "160.00",
        "case_reserve": "0.00",
        "status": "Paid",
        "denial_reason": None,
        "invoice_number": f"I-{claim_id}",
        "is_emergency": "false",
        "treatment_notes": None,
        "updated_at": "2026-03-14T00:00:00Z",
    } | changes
