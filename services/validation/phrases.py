"""What pages say when they are not what they were, in many languages: lower case, with the plain apostrophe."""

from typing import Final

NOT_FOUND: Final = (
    *("page not found", "not found", "page cannot be found", "page can't be found"),
    *("page could not be found", "page doesn't exist", "page does not exist", "no such page"),
    *("page no longer exists", "page is no longer available", "page has been removed", "file not found"),
    *("content not found", "no longer available", "nothing found", "oops! page"),
    *("seite nicht gefunden", "nicht gefunden", "seite existiert nicht", "seite wurde nicht gefunden"),
    *("seite konnte nicht gefunden werden", "seite ist nicht mehr verfügbar", "nicht mehr verfügbar"),
    *("page non trouvée", "page introuvable", "page n'existe pas", "n'existe plus"),
    *("page demandée est introuvable", "page n'est plus disponible"),
    *("página no encontrada", "página no existe", "no se encuentra la página", "no se ha encontrado", "no encontrada"),
    *("pagina non trovata", "pagina inesistente", "la pagina non esiste", "non trovata"),
    *("página não encontrada", "página não existe", "não encontrada", "não encontrado"),
    *("pagina niet gevonden", "niet gevonden", "pagina bestaat niet"),
    *("sidan hittades inte", "sidan kunde inte hittas", "siden blev ikke fundet", "siden ble ikke funnet"),
    *("siden finnes ikke", "siden findes ikke", "sivua ei löydy", "sivua ei löytynyt"),
    *("nie znaleziono strony", "strona nie istnieje", "nie znaleziono"),
    *("stránka nenalezena", "stránka nebyla nalezena", "stránka neexistuje", "stránka sa nenašla"),
    *("az oldal nem található", "nem található", "pagina nu a fost găsită", "pagina nu există"),
    *("sayfa bulunamad", "η σελίδα δεν βρέθηκε", "δεν βρέθηκε"),
    *("страница не найдена", "страница не существует", "не найдено", "сторінку не знайдено", "сторінка не знайдена"),
    *("הדף לא נמצא", "الصفحة غير موجودة", "पृष्ठ नहीं मिला", "ไม่พบหน้า"),
    *("không tìm thấy trang", "halaman tidak ditemukan"),
    *(
        "ページが見つかりません",
        "ページは見つかりません",
        "お探しのページ",
        "页面不存在",
        "找不到页面",
        "页面未找到",
        "未找到页面",
    ),
    *("找不到頁面", "頁面不存在", "網頁不存在", "페이지를 찾을 수 없습니다", "존재하지 않는 페이지"),
)
PARKED: Final = (
    *("domain is for sale", "domain may be for sale", "domain for sale", "buy this domain", "domain is parked"),
    *("parked domain", "domain parking", "this domain has expired", "domain has expired", "domain name is for sale"),
    *("is available for purchase", "premium domain", "inquire about this domain", "related searches"),
    *("domain steht zum verkauf", "diese domain kaufen", "domain zu verkaufen", "domain ist geparkt"),
    *("domaine est à vendre", "nom de domaine à vendre", "dominio está en venta", "comprar este dominio"),
    *("dominio è in vendita", "domínio está à venda", "domein is te koop", "domena na sprzedaż"),
    *("домен продается", "домен продаётся", "купить домен", "ドメインは販売中", "域名出售", "域名正在出售"),
)
PARKING_HOSTS: Final = frozenset(
    {
        *("sedoparking.com", "sedo.com", "hugedomains.com", "dan.com", "afternic.com", "parkingcrew.net", "bodis.com"),
        *("above.com", "uniregistry.com", "domainmarket.com", "buydomains.com", "undeveloped.com", "parklogic.com"),
        *("domainsponsor.com", "skenzo.com", "voodoo.com", "parking.reg.ru", "godaddyparking.com"),
    }
)
LOGIN: Final = (
    *("log in", "login", "sign in", "sign-in", "log on", "logon", "sign on", "members only", "subscribers only"),
    *("anmelden", "anmeldung", "einloggen", "connexion", "se connecter", "iniciar sesión", "inicia sesión", "accedi"),
    *("accesso", "entrar", "iniciar sessão", "inloggen", "aanmelden", "logga in", "logg inn", "log ind", "kirjaudu"),
    *("zaloguj", "logowanie", "přihlášení", "přihlásit", "bejelentkezés", "giriş yap", "войти", "вход", "увійти"),
    *("ログイン", "サインイン", "登录", "登入", "로그인", "تسجيل الدخول", "התחברות"),
)
CAPTCHA: Final = (
    *("just a moment", "attention required", "are you a robot", "are you human", "verify you are human"),
    *(
        "access denied",
        "security check",
        "checking your browser",
        "please verify you are",
        "captcha",
        "bot verification",
    ),
    *("pardon our interruption", "unusual traffic", "ddos protection", "request blocked", "einen moment", "un momento"),
)
