"""What the English pages of the local web are about: twelve subjects in our own words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """A subject: what its articles are called, the sentences they are made of, and what somebody would ask.

    `asked` are questions in other words than the sentences use. `category` is one of the default taxonomy, `tags` are
    those that people in the library give to such pages.
    """

    name: str
    title: str
    description: str
    author: str
    category: str
    tags: tuple[str, ...]
    asked: tuple[str, ...]
    sentences: tuple[str, ...]
    language: str = "en"


BREAD = Topic(
    "bread",
    "Sourdough at home",
    "How to keep a starter alive and bake a loaf with an open crumb in an ordinary oven.",
    "Mara Oven",
    "Food",
    ("cooking/bread", "kitchen"),
    ("baking a loaf with wild yeast", "how do I feed my starter"),
    (
        "A sourdough starter is nothing but flour and water in which wild yeast and bacteria have settled.",
        "Feed it once a day with equal weights of flour and water, and throw the rest away or fry it as a pancake.",
        "The dough is ready for shaping when it has grown by half and trembles like jelly at the edge of the bowl.",
        "Rye flour ferments faster than wheat, so a spoonful of it wakes a tired culture overnight.",
        "Salt slows the yeast down and tightens the gluten, which is why it is added after the first rest.",
        "Fold the dough four times within two hours instead of kneading it, and its crumb will stay open.",
        "A cold night in the refrigerator gives the crust its blisters and the bread its sour taste.",
        "Heat a cast iron pot for half an hour, because steam under its lid keeps the crust soft while the loaf rises.",
        "Bake it covered for twenty minutes and uncovered until the crust is as dark as chestnuts.",
        "Let the loaf cool on a rack for an hour; its inside still cooks while it crackles.",
    ),
)
GARDEN = Topic(
    "garden",
    "A vegetable garden that waters itself",
    "Beds, mulch and clay pots: how vegetables get through a dry summer with little work.",
    "Pim Loam",
    "Science",
    ("garden", "outdoors/plants"),
    ("growing vegetables without much watering", "mulch for raised beds"),
    (
        "Vegetables suffer from irregular watering more than from little watering.",
        "A thick layer of straw keeps the soil of a raised bed moist for a week without rain.",
        "Buried clay pots seep slowly, and the roots of tomatoes find them by themselves.",
        "Sow beans between the maize, and pumpkins below, so that the leaves shade the ground.",
        "Compost holds several times its weight in water and feeds the earthworms that loosen the bed.",
        "Water early in the morning, at the roots and never over the leaves, or mildew will follow.",
        "Seedlings that were kept too warm on the window sill fall over in the first wind.",
        "Slugs prefer lettuce that grows alone; between onions and garlic they find less of it.",
        "Leave some carrots in the ground over winter, and their flowers will feed hoverflies in June.",
        "A barrel under the gutter fills in one thunderstorm and lasts for a dozen cans.",
    ),
)
BICYCLE = Topic(
    "bicycle",
    "Repairing a bicycle with seven tools",
    "Chains, brakes and punctures: what can be mended in a kitchen and what is better left to a workshop.",
    "Ida Spoke",
    "Sports",
    ("cycling", "repair"),
    ("fixing a flat tyre", "my brakes squeal and the chain slips"),
    (
        "A worn chain eats the sprockets, so measure it every thousand kilometres and change it in time.",
        "To mend a puncture, roughen the tube around the hole and let the rubber cement dry before the patch goes on.",
        "Squealing disc brakes are usually dirty; clean the rotor with alcohol and bed the pads in again.",
        "The derailleur is adjusted by two screws that limit it and one barrel that tunes the cable.",
        "Turn the left pedal clockwise to loosen it, because its thread runs the other way.",
        "Spokes are tightened by quarter turns, always a pair on each side of the wobble in the rim.",
        "A headset that rattles over cobbles needs its cap tightened with the stem loosened first.",
        "Grease every thread that goes into aluminium, or the saddle post will never come out again.",
        "Carry two tyre levers, a tube, a pump and a multitool, and you will seldom have to walk.",
        "Tyres wider than forty millimetres roll just as easily on asphalt when their pressure is low.",
    ),
)
STARS = Topic(
    "stars",
    "Finding your way among the stars",
    "A first winter with binoculars: constellations, clusters and the moons of Jupiter.",
    "Noa Zenith",
    "Science",
    ("astronomy", "outdoors/night"),
    ("what to look at in the night sky", "observing planets through binoculars"),
    (
        "Orion is the best place to begin, for three bright stars in a row cannot be missed.",
        "Follow the belt down to the left and you arrive at Sirius, the brightest star of the night.",
        "Binoculars of ten by fifty show the four large moons of Jupiter as a row of needles.",
        "The Pleiades are a cluster of young stars that were born together some hundred million years ago.",
        "Give your eyes half an hour of darkness before you judge how many stars there are.",
        "The planets keep to the path of the sun, the ecliptic, and they hardly twinkle.",
        "A telescope with a wide mirror gathers more light, which matters more than its magnification.",
        "The galaxy in Andromeda is the farthest thing that an eye without help can see.",
        "Shooting stars in August are dust of a comet that burns up high in the atmosphere.",
        "Saturn's rings open and close over fifteen years as the planet tilts towards us.",
    ),
)
DATABASE = Topic(
    "database",
    "Indexes in a relational database",
    "Why a query is slow, what an index can do about it, and when it makes matters worse.",
    "Ben Tuple",
    "Development",
    ("dev/databases", "sql"),
    ("my SQL query is slow", "when does PostgreSQL use a btree"),
    (
        "A B-tree index keeps its keys sorted, so that PostgreSQL finds a row in a handful of page reads.",
        "The planner prefers a sequential scan when a query returns a large share of the table.",
        "A partial index covers only the rows that a condition selects, and is smaller and faster for it.",
        "Every index has to be maintained by each insert, so an unused one costs writes and disk for nothing.",
        "The order of columns matters: an index on city and name helps a search by city, but not by name alone.",
        "Vacuum removes dead rows, and without it the table grows even though nothing is added.",
        "Read the plan with its buffers shown, because time alone hides what came from the cache.",
        "A transaction that stays open for hours keeps old versions of rows alive for everybody.",
        "Inverted indexes answer which documents contain a word, and they are at the heart of full text search.",
        "Keyset pagination remembers the last row and stays fast on page ten thousand, where OFFSET does not.",
    ),
)
PYTHON = Topic(
    "python",
    "Structured concurrency in Python",
    "Task groups, cancellation and deadlines: asynchronous code that can be reasoned about.",
    "Uma Await",
    "Development",
    ("dev/python", "async"),
    ("cancelling coroutines properly", "asyncio task groups explained"),
    (
        "A task group waits for all of its tasks, and cancels the others when one of them fails.",
        "Coroutines give way to each other only where they await, which makes shared state easy to think about.",
        "Never swallow a cancellation; clean up in a finally block and let it travel on.",
        "A function that blocks the event loop for a second delays every request of the whole process.",
        "Put a deadline around everything that talks to the network, and choose it where you know the caller.",
        "Semaphores bound how many downloads run at once, and queues bound how many of them wait.",
        "Threads remain useful for libraries that were never written with asyncio in mind.",
        "An asynchronous generator that is not exhausted has to be closed by whoever began it.",
        "Tests should wait for a condition and not for an amount of time, or they will fail on a busy machine.",
        "The debug mode of the loop reports callbacks that took too long and coroutines that nobody awaited.",
    ),
)
MONEY = Topic(
    "money",
    "A household budget on one page",
    "Fixed costs, a cushion and small rates: a plan for money that survives a broken washing machine.",
    "Lea Ledger",
    "Finance",
    ("money", "household"),
    ("saving for emergencies", "planning monthly expenses"),
    (
        "Write down what leaves your account every month before you plan anything else.",
        "Rent, insurance and electricity are fixed costs, and they should take less than half of your income.",
        "Three months of expenses on a savings account are a cushion that keeps you out of expensive debt.",
        "Pay off the loan with the highest interest rate first, even if another one is larger.",
        "A standing order on the first of the month saves money before it can be spent.",
        "An index fund spreads a small amount over thousands of companies for a tenth of a percent a year.",
        "Inflation is the reason why a mattress full of banknotes becomes thinner by itself.",
        "Compare the yearly price of subscriptions, for a coffee a week sounds cheaper than it is.",
        "Taxes come late and all at once for those who work for themselves, so put a third aside.",
        "Look at the budget once a quarter and change what turned out to be a wish.",
    ),
)
MUSIC = Topic(
    "music",
    "Harmony for people who play by ear",
    "Intervals, cadences and a few chords that explain most of the songs on the radio.",
    "Finn Cadence",
    "Arts",
    ("music", "theory"),
    ("chord progressions in popular songs", "learning music theory for guitar"),
    (
        "A major chord is built from the root, the major third and the fifth.",
        "The dominant wants to go home to the tonic, and this pull is called a cadence.",
        "Most songs on the radio get along with four chords of one key, in one order or another.",
        "The relative minor uses the same notes as its major key but calls another one home.",
        "Sing an interval before you play it, and your fingers will learn to follow your ear.",
        "A seventh added to the dominant makes its tension audible even to those who never had a lesson.",
        "Modes are scales that begin on another step; the Dorian one colours half of all folk tunes.",
        "Rhythm is what people dance to, so practise with a metronome that clicks on two and four.",
        "Voice leading means that each note of a chord moves to the nearest note of the next.",
        "A bridge in another key makes the last chorus sound new, though not a note in it has changed.",
    ),
)
TRAIN = Topic(
    "train",
    "Across the continent by night train",
    "Couchettes, connections and border crossings: how to plan a journey by rail without a single flight.",
    "Otto Sleeper",
    "Travel",
    ("travel/rail", "europe"),
    ("sleeping compartments on international railways", "holiday journey without flying"),
    (
        "A night train saves a hotel, and you wake up in the middle of the city where you want to be.",
        "Couchettes have six beds, sleepers one to three, and the seats are only for the brave.",
        "Book the long leg first, since reservations for sleeping cars open half a year ahead and sell out.",
        "Leave an hour for every change at a border, because a missed connection costs a whole day.",
        "A rail pass pays off from the third country on, but supplements for fast trains are extra.",
        "The conductor keeps your ticket overnight so that nobody wakes you at the frontier.",
        "Bring earplugs, a water bottle and slippers; the carriage is shunted at three in the morning.",
        "Ferries at the end of the line often have a fare that includes the railway ticket.",
        "Local trains along the coast are slow and cheap, and their windows can be opened.",
        "When a train is cancelled the operator must carry you to your destination on the next one.",
    ),
)
COFFEE = Topic(
    "coffee",
    "Better coffee from a paper filter",
    "Grind, water and time: three screws to turn before buying another machine.",
    "Rosa Bloom",
    "Food",
    ("kitchen", "coffee"),
    ("brewing filter coffee by hand", "why does my espresso taste bitter"),
    (
        "Coffee tastes bitter when too much is extracted and sour when too little is.",
        "Grind the beans right before brewing, as coarse as sea salt for a paper filter.",
        "Sixty grams of coffee for a litre of water are a good place to start.",
        "Pour a little water first and wait half a minute while the grounds swell and give off their gas.",
        "Water just off the boil is right for light roasts, and somewhat cooler water for dark ones.",
        "A burr grinder matters more than the machine, for uneven grounds brew unevenly.",
        "Hard water hides acidity, so a filter jug can change the cup more than other beans.",
        "Beans are at their best between one and five weeks after roasting, kept closed and dark.",
        "Rinse the paper with hot water, which warms the pot and washes its taste away.",
        "Espresso forces water through fine grounds at nine bar within half a minute.",
    ),
)
LEARNING = Topic(
    "learning",
    "What a neural network learns",
    "Gradients, overfitting and embeddings explained without more mathematics than needed.",
    "Ada Gradient",
    "AI/ML",
    ("ai", "dev/machine-learning"),
    ("training deep models", "vector representations of words"),
    (
        "A neural network is a long chain of multiplications whose numbers are found by training.",
        "The gradient tells for every weight in which direction the error becomes smaller.",
        "A model that repeats its training data by heart is overfitted and useless on anything new.",
        "Hold back some examples that the model never sees, and judge it by them alone.",
        "Embeddings place words in a space where those of like meaning lie close together.",
        "A learning rate that is too high makes the loss jump, and one too low makes you wait for weeks.",
        "Attention lets each token look at all the others and decide which of them matter.",
        "Large models are trained on text and then taught by examples how to answer a question.",
        "Quantisation stores weights with fewer bits and lets a model fit into a small computer.",
        "Bias in the data becomes bias in the answers, and no architecture removes it by itself.",
    ),
)
SECURITY = Topic(
    "security",
    "Passwords, keys and backups for a family",
    "A manager, a second factor and a copy in another house: safety that does not depend on memory.",
    "Vera Cipher",
    "Security",
    ("security", "household"),
    ("protecting accounts from phishing", "two-factor authentication for relatives"),
    (
        "A password manager invents a different long password for every site and remembers them all.",
        "Phishing works because people are in a hurry; a key that checks the address is never in a hurry.",
        "A second factor by an app is better than one by text message, which can be redirected.",
        "Keep three copies of your photographs on two kinds of media, and one of them in another house.",
        "A backup that was never restored is a hope and not a backup.",
        "Updates close holes that are already in use by the time you read about them.",
        "Encrypt the disk of a laptop, for it will be lost rather than hacked.",
        "Print the recovery codes and put them where you keep the passports.",
        "Public networks are harmless as long as the browser shows a valid certificate.",
        "Nobody from the bank will ever ask for a code on the telephone.",
    ),
)

TOPICS = (BREAD, GARDEN, BICYCLE, STARS, DATABASE, PYTHON, MONEY, MUSIC, TRAIN, COFFEE, LEARNING, SECURITY)
"""Every English subject."""
