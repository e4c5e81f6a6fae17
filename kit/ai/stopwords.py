"""Words that say nothing about what a text is about, by language (ISO 639-1): the most frequent ones, case folded.

They are few on purpose: enough to tell the languages apart, and to keep keywords free of them. A language that is not
here loses nothing but that.
"""

# ruff: noqa: RUF001  words of other scripts are what this is about

from typing import Final

_LISTS: Final = {
    "en": """a about above after again against all also am an and any are as at be because been before being below
        between both but by can could did do does doing down during each even few for from further get had has have
        having he her here hers him his how i if in into is it its just know like ll made make many may me might
        more most much must my new no nor not now of off on once one only or other our ours out over own per re
        really same see shall she should since so some still such than that the their theirs them then there these
        they this those through to too two under until up us use used using ve very via want was way we well were
        what when where which while who whom whose why will with within without would yet you your yours""",
    "de": """ab aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei beim bin bis
        bist da dabei damit dann das dass dazu dein dem den denn der des die dies diese diesem diesen dieser dieses
        doch dort du durch ein eine einem einen einer eines er es etwas euch euer für gegen gibt hat hatte haben
        hier ich ihm ihn ihr ihre im in ins ist ja jede jedem jeden jeder jedes kann kein keine können man mehr mein
        mit muss nach nicht noch nun nur ob oder ohne sehr sein seine seit sich sie sind so soll über um und uns
        unter vom von vor war waren was wenn wer werden wie wieder will wir wird wo wurde zu zum zur zwischen""",
    "fr": """à ai ainsi après as au aucun aussi autre aux avant avec avoir bien c ce cela ces cet cette ceux chez
        comme comment d dans de des deux dont du elle elles en encore entre est et été être eu fait faire il ils j
        je jusqu l la le les leur leurs lors lui ma mais me même mes moi mon n ne ni nos notre nous on ont ou où par
        pas peu peut plus pour pourquoi qu quand que quel quelle qui quoi s sa sans se ses si son sont sous sur ta
        te tes toi ton tous tout toute toutes très tu un une vers vos votre vous y""",
    "es": """a al algo algunos ante antes así aunque cada como con contra cual cuando de del desde donde dos durante
        e el él ella ellas ellos en entre era es esa ese eso esta está están este esto estos fue fueron ha han hasta
        hay la las le les lo los más me mi mientras mis muy ni no nos nosotros o os otra otro otros para pero poco
        por porque puede que qué quien se según ser si sí sin sobre son su sus también tan tanto te tiene todo todos
        tu tus un una uno unos y ya yo""",
    "it": """a abbiamo ad agli ai al alla alle allo anche ancora che chi ci come con contro cosa cui da dagli dai
        dal dalla dalle degli dei del della delle dello di dopo dove due e ed era essere fa fino fra gli ha hanno ho
        i il in io l la le lei lo loro lui ma mi mia mio molto ne negli nei nel nella nelle no noi non nostro o ogni
        per perché più poi prima può quando quello questa queste questi questo qui se sei senza si sia sono sta
        stato su sua sui sul sulla suo tra tu tutti tutto un una uno voi è""",
    "pt": """a ao aos após as até cada com como da das de dele depois do dos e é ela ele eles em entre era essa esse
        esta está este eu foi foram há isso isto já lhe mais mas me mesmo meu minha muito na não nas nem no nos nós
        nossa o onde os ou para pela pelas pelo pelos pode por porque qual quando que quem se sem ser seu seus só
        sobre sua suas também te tem teu tudo um uma umas uns você""",
    "nl": """aan al alle als altijd andere ben bij bijna daar dan dat de deze die dit door doen een en er geen had
        hebben heeft hem het hier hij hoe hun ik in is ja je jij kan kunnen maar me meer men met mij mijn moet na
        naar niet nog nu of om omdat onder ons ook op over reeds te tegen toch toen tot u uit uw van veel voor waar
        was wat we wel werd wie wij wil worden zal ze zelf zich zij zijn zo zonder zou""",
    "sv": """alla att av blev bli blir då de dem den denna deras dess det detta dig din du där efter ej eller en ett
        från för ha hade han har hennes hon hur här i icke ingen inte jag ju kan kunde man med mellan men mig min
        mot mycket ni nu någon något och om oss på samma sedan sig sin ska som så till under upp ut utan vad var
        vara vi vid vilka än är åt över""",
    "pl": """a aby albo ale bardzo bez bo być był była było były by co czy dla do gdy gdzie go i ich im inne ja jak
        jako je jego jej jest jeszcze już każdy kiedy kto która które który lub ma mi może można na nad nam nas nie
        nich nim niż o od on ona one oni oraz po pod przed przez przy są się ta tak także tam te tego tej ten to tu
        tych tylko tym w we wiele z za ze że""",
    "ru": """а без более больше бы был была были было быть в вам вас во вот все всего всех вы где да даже для до его
        ее её если есть еще ещё же за и из или им их к как когда которая которые который кто ли между меня мне много
        может мы на над надо наш не него нее нет ни них но ну о об один он она они оно от очень по под после потом
        при с свои себя со так также такой там то только того тоже ту ты у уже чем через что чтобы эта эти это этого
        этот я""",
    "uk": """а або але без був була були було в вже ви від він вона вони все всі де для до є з за зі і із її його їх
        й коли між може ми на над не ні ну о об один по під після при про та так також те ти то тільки тому у це цей
        ця чи що щоб я як який яка які""",
    "tr": """acaba ama ancak bana bazı ben beni bir biri biz bu bunu bütün çok çünkü da daha de değil diye dolayı en
        gibi göre hem hep her hiç için ile ise kadar ki kim mı mi mu mü nasıl ne neden o olan olarak oldu on ona onu
        sen siz sonra şey şu tüm var ve veya ya yani""",
    "ar": """إلى إن أن أو أي بعد بين التي الذي الذين ثم حتى حيث ذلك عن عند على في قد كان كانت كل كما لا لم لن له لها
        ما مع من منذ هذا هذه هم هنا هو هي و يكون""",
}

STOPWORDS: Final[dict[str, frozenset[str]]] = {
    language: frozenset(words.casefold().split()) for language, words in _LISTS.items()
}
