"""What pets are treated for: average bills, how often, in which season, at which age.

Averages are today's US dollars; anchors are published averages of US insurers (allergic dermatitis 240, feline
gastrointestinal upset 747, chocolate 618-814, foreign body 2,400, its surgery > 3,500, cruciate surgery 3,525-6,417).
"""

from dataclasses import dataclass

import numpy as np

from data_generator.arrays import Bools, Floats

FLAT = (1.0,) * 12
SUMMER = (0.6, 0.6, 0.8, 1.1, 1.4, 1.7, 1.7, 1.6, 1.2, 0.8, 0.6, 0.6)
MILD_SUMMER = (0.8, 0.8, 0.9, 1.0, 1.1, 1.25, 1.3, 1.25, 1.05, 0.9, 0.8, 0.8)
GRASS = (0.2, 0.2, 0.4, 0.8, 1.6, 2.8, 2.9, 2.3, 0.9, 0.4, 0.2, 0.2)
CHOCOLATE = (0.6, 0.9, 0.9, 1.0, 0.6, 0.5, 0.5, 0.5, 0.6, 1.7, 0.9, 4.6)
HOLIDAYS = (1.1, 0.9, 0.9, 0.9, 0.9, 0.95, 0.95, 0.9, 0.9, 1.0, 1.3, 1.7)
WINTER = (1.4, 1.3, 1.1, 0.9, 0.8, 0.7, 0.7, 0.7, 0.9, 1.1, 1.2, 1.4)

ANY_AGE = (1.0, 1.0, 1.0)
OLD = (0.25, 1.0, 2.6)
YOUNG = (1.7, 0.9, 0.6)
AGE_BAND_STARTS_YEARS = (2.0, 7.0)


@dataclass(frozen=True, slots=True)
class Condition:
    """One diagnosis. Weights are relative frequencies of (dog, cat, other); `age` is young, adult, senior."""

    code: str
    name: str
    claim_type: str
    category: str
    mean_usd: tuple[float, float, float]
    sigma: float
    weights: tuple[float, float, float]
    season: tuple[float, ...] = FLAT
    age: tuple[float, float, float] = ANY_AGE
    emergency: float = 0.03
    chronic: bool = False
    needs: str = ""


def _illness(
    code: str, name: str, category: str, mean: tuple[float, float], weights: tuple[float, float], **more: object
) -> Condition:
    return _condition(code, name, "Illness", category, mean, weights, more)


def _accident(code: str, name: str, mean: float, weights: tuple[float, float], **more: object) -> Condition:
    return _condition(code, name, "Accident", "Injury", (mean, mean), weights, {"emergency": 0.6, **more})


def _condition(
    code: str,
    name: str,
    claim_type: str,
    category: str,
    mean: tuple[float, float],
    weights: tuple[float, float],
    more: dict[str, object],
) -> Condition:
    fields = {"sigma": 0.6, **more}
    other = float(str(fields.pop("other", 0.0)))
    return Condition(code, name, claim_type, category, (*mean, 0.8 * mean[0]), weights=(*weights, other), **fields)  # type: ignore[arg-type]


CONDITIONS: tuple[Condition, ...] = (
    _illness("SKN01", "Allergic dermatitis", "Dermatology", (240, 250), (13, 5), other=1, season=SUMMER, chronic=True),
    _illness("EAR01", "Otitis externa", "Dermatology", (210, 200), (9, 3), season=MILD_SUMMER, chronic=True),
    _illness("SKN02", "Pyoderma", "Dermatology", (230, 230), (5.5, 1), season=MILD_SUMMER),
    _illness("GIT01", "Enteropathy", "Gastrointestinal", (420, 747), (7, 6), other=3, season=HOLIDAYS),
    _illness("GIT02", "Gastropathy", "Gastrointestinal", (380, 520), (6, 7), season=HOLIDAYS),
    _illness("GIT03", "Anal sac disease", "Gastrointestinal", (190, 180), (4.5, 0.5)),
    _illness("GIT04", "Pancreatitis", "Gastrointestinal", (1700, 1650), (1.1, 0.6), sigma=0.8, season=HOLIDAYS),
    _illness("URI01", "Cystitis", "Urinary", (380, 560), (3.5, 8), chronic=True),
    _illness("REN01", "Chronic kidney disease", "Urinary", (780, 820), (0.96, 7.2), age=OLD, chronic=True),
    _illness("END01", "Hyperthyroidism", "Endocrine", (500, 560), (0, 4), age=OLD, chronic=True),
    _illness("END02", "Diabetes mellitus", "Endocrine", (1100, 1050), (1.08, 3.36), age=OLD, chronic=True),
    _illness("RES01", "Upper respiratory infection", "Respiratory", (290, 290), (2, 3.5), other=3, season=WINTER),
    _illness("NEU01", "Seizures", "Neurology", (640, 700), (2.16, 0.84), chronic=True, emergency=0.3),
    _illness("OPH01", "Conjunctivitis", "Ophthalmology", (200, 210), (3, 2.5), other=1),
    _illness("CAR01", "Heart disease", "Cardiology", (950, 1000), (1.32, 1.44), age=OLD, chronic=True),
    _illness("NEO01", "Benign skin mass", "Oncology", (520, 500), (4, 1), age=OLD),
    _illness("NEO02", "Lymphoma", "Oncology", (4300, 3900), (0.14, 0.11), sigma=1.0, age=OLD),
    _illness("NEO03", "Mast cell tumour", "Oncology", (3000, 2600), (0.21, 0.08), sigma=1.0, age=OLD),
    _illness("DEN01", "Periodontal disease", "Dental", (620, 640), (4, 5), age=OLD, needs="dental"),
    _illness("ORT01", "Osteoarthritis", "Orthopedic", (420, 400), (4.5, 1.5), age=OLD, chronic=True),
    _illness("ORT02", "Cruciate ligament rupture", "Orthopedic", (4600, 4200), (0.41, 0.04), sigma=0.8),
    _illness("ORT03", "Intervertebral disc disease", "Orthopedic", (5600, 5000), (0.11, 0.01), sigma=0.8),
    _illness("ORT04", "Hip dysplasia", "Orthopedic", (2200, 2000), (0.26, 0.04), sigma=0.8, chronic=True),
    _illness("ORT05", "Patellar luxation", "Orthopedic", (2100, 2000), (0.26, 0.06), sigma=0.8, chronic=True),
    _accident("ACC01", "Chocolate toxicity", 710, (2.2, 0.1), season=CHOCOLATE, emergency=0.8),
    _accident("ACC02", "Foreign body ingestion", 2400, (0.38, 0.26), sigma=0.8, season=HOLIDAYS, age=YOUNG),
    _accident("ACC03", "Foreign body surgery", 3900, (0.17, 0.11), sigma=0.8, season=HOLIDAYS, emergency=0.9),
    _accident("ACC04", "Laceration or bite wound", 480, (3.2, 2), season=MILD_SUMMER),
    _accident("ACC05", "Road traffic injury", 2300, (0.19, 0.22), sigma=0.8, season=SUMMER, emergency=0.95),
    _accident("ACC06", "Fracture", 2700, (0.19, 0.19), sigma=0.8, other=0.4, age=YOUNG, emergency=0.9),
    _accident("ACC07", "Poisoning", 900, (0.8, 0.6), sigma=0.8, emergency=0.9),
    _accident("ACC08", "Grass seed", 340, (1.5, 0.2), season=GRASS, emergency=0.2),
    _accident("ACC09", "Bloat (gastric dilatation-volvulus)", 5200, (0.07, 0), sigma=0.8, emergency=1.0),
    _accident("ACC10", "Insect sting", 220, (1.2, 0.5), season=SUMMER),
    _accident("ACC11", "Torn nail", 160, (2, 0.4), other=1, emergency=0.2),
    _illness("EXO01", "Gastrointestinal stasis", "Gastrointestinal", (525, 0), (0, 0), other=5, emergency=0.4),
    _illness("EXO02", "Malocclusion", "Gastrointestinal", (325, 0), (0, 0), other=4, chronic=True),
    Condition("WEL01", "Annual examination and vaccination", "Wellness", "Wellness",
              (140, 130, 110), 0.35, (6, 6, 4), emergency=0.0, needs="wellness"),
    Condition("WEL02", "Dental cleaning", "Wellness", "Wellness",
              (380, 370, 200), 0.35, (1.6, 1.6, 0), age=OLD, emergency=0.0, needs="wellness"),
)  # fmt: skip

CODES = tuple(condition.code for condition in CONDITIONS)
MEANS: Floats = np.array([c.mean_usd for c in CONDITIONS], dtype=np.float64)
SIGMAS: Floats = np.array([c.sigma for c in CONDITIONS])
EMERGENCY: Floats = np.array([c.emergency for c in CONDITIONS])
ACCIDENT: Bools = np.array([c.claim_type == "Accident" for c in CONDITIONS])
WELLNESS: Bools = np.array([c.claim_type == "Wellness" for c in CONDITIONS])
ORTHOPEDIC: Bools = np.array([c.category == "Orthopedic" for c in CONDITIONS])
NEEDS_WELLNESS: Bools = np.array([c.needs == "wellness" for c in CONDITIONS])
NEEDS_DENTAL: Bools = np.array([c.needs == "dental" for c in CONDITIONS])
CHRONIC_WEIGHTS: Floats = np.array([[w if c.chronic else 0.0 for w in c.weights] for c in CONDITIONS]).T
"""[species, condition]: what a pet may already have had when its policy began."""


def frequency_table() -> Floats:
    """Cumulative relative frequency by [species, calendar month, age band, condition]."""
    weights = np.array([c.weights for c in CONDITIONS]).T[:, None, None, :]
    seasons = np.array([c.season for c in CONDITIONS]).T[None, :, None, :]
    ages = np.array([c.age for c in CONDITIONS]).T[None, None, :, :]
    return np.asarray(np.cumsum(weights * seasons * ages, axis=-1), dtype=np.float64)
