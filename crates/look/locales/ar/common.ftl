### ما يظهر في أكثر من صفحة.

skip = الانتقال إلى المحتوى
or = أو
languages = اللغة
legal = عن هذه الخدمة
go-on = متابعة
not-now = ليس الآن
sign-in = تسجيل الدخول
sign-out = تسجيل الخروج
password = كلمة المرور
new-password = كلمة مرور جديدة
new-password-note = { $least ->
        [few] { $least } محارف
        [many] { $least } محرفًا
       *[other] { $least } محرف
    } على الأقل. بضع كلمات لا علاقة بينها تصنع كلمة مرور جيدة.

wait =
    { $minutes ->
        [one] دقيقة واحدة
        [two] دقيقتين
        [few] { $minutes } دقائق
       *[other] { $minutes } دقيقة
    }
wait-hours =
    { $hours ->
        [one] ساعة واحدة
        [two] ساعتين
        [few] { $hours } ساعات
       *[other] { $hours } ساعة
    }

ago-now = قبل لحظات
ago-this = الآن
ago-minutes =
    { $n ->
        [one] قبل دقيقة
        [two] قبل دقيقتين
        [few] قبل { $n } دقائق
       *[other] قبل { $n } دقيقة
    }
ago-hours =
    { $n ->
        [one] قبل ساعة
        [two] قبل ساعتين
        [few] قبل { $n } ساعات
       *[other] قبل { $n } ساعة
    }
ago-days =
    { $n ->
        [one] قبل يوم
        [two] قبل يومين
        [few] قبل { $n } أيام
        [many] قبل { $n } يومًا
       *[other] قبل { $n } يوم
    }

device = { $browser } على { $system }
device-known = { $browser }
device-browser = متصفح
device-any = جهاز
device-app = تطبيق

dev-mail = هذا خادم للتطوير: بريده في { $mailbox }.
dev-mailbox = صندوق البريد

guest = ضيف

date = { $day } { $month } { $year }، الساعة { $time } بالتوقيت العالمي
month-1 = يناير
month-2 = فبراير
month-3 = مارس
month-4 = أبريل
month-5 = مايو
month-6 = يونيو
month-7 = يوليو
month-8 = أغسطس
month-9 = سبتمبر
month-10 = أكتوبر
month-11 = نوفمبر
month-12 = ديسمبر
