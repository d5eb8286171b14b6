"""Names of people, pets, streets and places; breeds with their price and risk; plans."""

from dataclasses import dataclass


def names(text: str) -> tuple[str, ...]:
    """The words of a text."""
    return tuple(text.split())


SPECIES = ("Dog", "Cat", "Other")
SPECIES_SHARES = [0.76, 0.23, 0.01]
MEAN_PREMIUM_USD = (62.0, 32.0, 20.0)
CLAIMS_PER_YEAR = (1.6, 1.0, 0.8)

FIRST_NAMES = names(
    "Emma Liam Olivia Noah Ava Ethan Sophia Mason Isabella Lucas Mia Logan Amelia James Harper Elijah Evelyn Benjamin "
    "Abigail Henry Ella Daniel Grace Samuel Chloe David Nora Joseph Lily Carter Zoe Owen Hannah Wyatt Aria Julian "
    "Layla Gabriel Maria Anthony Elena Diego Priya Wei Fatima Kofi"
)
LAST_NAMES = names(
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson "
    "Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis "
    "Robinson Walker "
    "Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell "
    "Patel Kim Cohen Okafor"
)
STREETS = names(
    "Oak Maple Cedar Pine Elm Washington Lake Hill Walnut Spring North Ridge Church Willow Meadow Forest Highland "
    "River Sunset Jackson"
)
PET_NAMES = names(
    "Bella Max Luna Charlie Lucy Cooper Daisy Milo Bailey Rocky Sadie Buddy Molly Bear Stella Duke Chloe Tucker Zoe "
    "Oliver Penny Leo Nala Simba Cleo Oscar Willow Jasper Ruby Toby Rosie Finn Gracie Murphy Pepper Ginger"
)
REFERRALS = ("Veterinarian", "Online Search", "Friend", "Employer", "Social Media", "Shelter")
CONTACTS = ("Email", "Phone", "SMS")
PROVIDER_TYPES = ("General Practice", "Emergency Hospital", "Specialty Clinic", "Mobile Vet")
PROVIDER_WORDS = names(
    "Oakwood Riverside Lakeside Sunrise Parkview Hillcrest Greenfield Harbor Summit Meadow Cornerstone Northgate "
    "Evergreen Brookside Westfield Pinecrest Bayview Heritage Valley Crescent"
)
PROVIDER_SUFFIXES = ("Animal Clinic", "Animal Hospital", "Veterinary Specialists", "Mobile Veterinary Care")


@dataclass(frozen=True, slots=True)
class Place:
    """A city with its share of customers and the price level of its vets."""

    city: str
    state: str
    zip_prefix: str
    share: float
    price_level: float


PLACES = tuple(
    Place(city, state, zip_prefix, share, price)
    for city, state, zip_prefix, share, price in (
        ("New York", "NY", "100", 8, 1.28), ("Los Angeles", "CA", "900", 7, 1.22), ("Chicago", "IL", "606", 5, 1.08),
        ("Houston", "TX", "770", 5, 0.97), ("Phoenix", "AZ", "850", 4, 0.98), ("Philadelphia", "PA", "191", 3, 1.05),
        ("San Antonio", "TX", "782", 3, 0.92), ("San Diego", "CA", "921", 4, 1.18), ("Dallas", "TX", "752", 4, 1.0),
        ("San Jose", "CA", "951", 3, 1.26), ("Austin", "TX", "787", 4, 1.03), ("Jacksonville", "FL", "322", 2, 0.93),
        ("Columbus", "OH", "432", 2, 0.9), ("Charlotte", "NC", "282", 3, 0.96), ("Seattle", "WA", "981", 5, 1.2),
        ("Denver", "CO", "802", 4, 1.07), ("Boston", "MA", "021", 4, 1.24), ("Nashville", "TN", "372", 2, 0.95),
        ("Portland", "OR", "972", 3, 1.09), ("Las Vegas", "NV", "891", 2, 0.97), ("Atlanta", "GA", "303", 4, 1.0),
        ("Miami", "FL", "331", 3, 1.06), ("Minneapolis", "MN", "554", 3, 1.02), ("Tampa", "FL", "336", 3, 0.96),
        ("Kansas City", "MO", "641", 2, 0.89), ("Pittsburgh", "PA", "152", 2, 0.91), ("Raleigh", "NC", "276", 2, 0.97),
        ("Salt Lake City", "UT", "841", 2, 0.94), ("Omaha", "NE", "681", 1, 0.87), ("Boise", "ID", "837", 1, 0.92),
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Breed:
    """`price` is the premium relativity, `risk` that of the expected claims, `size` that of the bill."""

    name: str
    share: float
    price: float
    risk: float
    weight_kg: float
    size: float = 1.0


BREEDS: tuple[tuple[Breed, ...], ...] = (
    (
        Breed("Mixed Breed", 30, 0.92, 0.92, 20), Breed("Labrador Retriever", 11, 1.02, 1.02, 31, 1.05),
        Breed("French Bulldog", 10, 1.3, 1.25, 12), Breed("Golden Retriever", 9, 1.1, 1.1, 32, 1.08),
        Breed("German Shepherd", 7, 1.12, 1.08, 34, 1.1), Breed("Goldendoodle", 7, 1.0, 1.0, 25),
        Breed("Poodle", 5, 0.95, 0.95, 20), Breed("Bulldog", 4, 1.4, 1.35, 23, 1.1), Breed("Beagle", 4, 0.92, 0.95, 12),
        Breed("Dachshund", 4, 0.95, 1.0, 9), Breed("Chihuahua", 4, 0.75, 0.8, 3, 0.85),
        Breed("Rottweiler", 2, 1.2, 1.15, 48, 1.15), Breed("Bernese Mountain Dog", 1.5, 1.38, 1.3, 45, 1.15),
        Breed("Great Dane", 1.5, 1.42, 1.3, 60, 1.25),
    ),
    (
        Breed("Domestic Shorthair", 62, 0.95, 0.96, 4.5), Breed("Domestic Longhair", 10, 0.97, 0.98, 4.7),
        Breed("Maine Coon", 8, 1.18, 1.12, 6.5, 1.08), Breed("Ragdoll", 6, 1.1, 1.05, 5.6),
        Breed("Siamese", 5, 1.08, 1.05, 4.2), Breed("Persian", 4, 1.15, 1.15, 4.6), Breed("Bengal", 3, 1.12, 1.1, 5),
        Breed("British Shorthair", 2, 1.08, 1.05, 5.2),
    ),
    (Breed("Rabbit", 6, 1.0, 1.0, 2.4), Breed("Guinea Pig", 2, 0.8, 0.9, 1.0), Breed("Parrot", 2, 1.2, 1.1, 0.5)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """`limits_usd` are the annual limits on offer; 0 means unlimited."""

    name: str
    share: float
    deductibles_usd: tuple[int, ...]
    pcts: tuple[int, ...]
    limits_usd: tuple[int, ...]
    wellness: float
    dental: float


PLANS = (
    Plan("Essential", 0.35, (500, 250, 1000), (70, 80), (5000, 10000), 0.05, 0.2),
    Plan("Plus", 0.45, (250, 500, 100), (80, 70, 90), (10000, 15000, 5000), 0.25, 0.5),
    Plan("Complete", 0.2, (250, 100), (90, 80), (0, 15000), 0.5, 0.85),
)
OPTION_WEIGHTS = [0.6, 0.25, 0.15]
PAYMENT_FREQUENCIES = ("Monthly", "Quarterly", "Annual")
POLICY_STATUSES = ("Active", "Cancelled", "Expired")
DENIAL_REASONS = ("", "Pre-existing Condition", "Waiting Period", "Not Covered", "Insufficient Documentation")
