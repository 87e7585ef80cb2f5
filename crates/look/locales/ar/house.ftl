### البيت: حيث يعتني المرء بحسابه.

house = حسابك
house-profile = الملف الشخصي
house-password = كلمة المرور
house-devices = الأجهزة
house-data = بياناتك
house-switch = تبديل الحساب

house-confirm = تأكيد أنني أنا

## الملف الشخصي

profile-lead = من أنت هنا، وكيف تسجل الدخول.
profile-name = الاسم
profile-your-name = اسمك
profile-save = حفظ
profile-ways = كيف تسجل الدخول
profile-email = البريد الإلكتروني
profile-email-none = لا يوجد بعد
profile-email-unproven = غير مؤكد
profile-username = اسم المستخدم
profile-username-none = لا يوجد. باسم مستخدم يمكنك تسجيل الدخول دون كتابة عنوانك.
profile-new-email = بريد إلكتروني جديد
profile-new-email-note = نرسل رمزًا إليه. يتغير العنوان بعد أن تكتب الرمز.
profile-change-email = تغيير البريد الإلكتروني
profile-username-note = اتركه فارغًا كي لا يكون لك اسم مستخدم.
profile-save-username = حفظ اسم المستخدم
profile-confirm = لتغيير البريد الإلكتروني أو اسم المستخدم أكّد أولًا أنك أنت.
profile-language = لغة الرسائل
profile-language-browser = كما في متصفحي
profile-save-language = حفظ اللغة
profile-done-language = حُفظت لغتك.
profile-done-email = حُفظ عنوانك الجديد.
profile-done-name = حُفظ اسمك.
profile-done-username = حُفظ اسم المستخدم.

## كلمة المرور

password-lead = تغييرها يسجل خروج كل ما عدا ذلك.
password-change = تغيير كلمة المرور
password-set = وضع كلمة مرور
password-now = كلمة المرور الحالية
password-change-button = تغيير كلمة المرور
password-set-button = حفظ كلمة المرور
password-confirm = لوضع كلمة مرور أكّد أولًا أنك أنت.
password-done = تغيرت كلمة مرورك، وسُجل خروج كل ما كان مسجل الدخول عدا هذا.
password-not-it = هذه ليست كلمة مرور هذا الحساب.

## الأجهزة

devices-lead = أين أنت مسجل الدخول. سجّل خروج ما لا تعرفه، ثم غيّر كلمة المرور.
devices-this = هذا الجهاز
devices-used = استُخدم { $used } · بدأ { $began }
devices-sign-out = تسجيل خروج { $device }، استُخدم { $used }
devices-more =
    { $n ->
        [one] يوجد جهاز آخر غير معروض.
        [two] يوجد جهازان آخران غير معروضين.
        [few] توجد { $n } أجهزة أخرى غير معروضة.
        [many] يوجد { $n } جهازًا آخر غير معروض.
       *[other] يوجد { $n } جهاز آخر غير معروض.
    }
devices-others = تسجيل خروج كل ما عدا هذا
devices-all = تسجيل الخروج في كل مكان، وهنا أيضًا
devices-done-session = سُجل خروج تلك الجلسة.
devices-done-others = سُجل خروج كل ما عدا هذا.

## البيانات

data-lead = خذ معك ما يُحفظ عنك هنا، أو اطلب حذفه.
data-download = تنزيل
data-download-says = ملفك الشخصي وعناوينك وجلساتك في ملف تقرؤه البرامج (JSON).
data-download-button = تنزيل بياناتي
data-download-confirm = لتنزيل بياناتك أكّد أولًا أنك أنت.
data-delete = حذف الحساب
data-delete-says = نسألك مرة أخرى قبل أن يحدث أي شيء.
data-delete-button = حذف حسابي…

delete = حذف حسابك؟
delete-lead = هذا عن { $name }.
delete-lost = ما الذي سيُفقد
delete-lost-profile = ملفك الشخصي وعنوانك واسم المستخدم وكلمة المرور هنا.
delete-lost-sessions = كل الجلسات: يُسجل خروجك على كل الأجهزة وفي كل التطبيقات.
delete-lost-apps = الدخول إلى التطبيقات التي تعرفك بهذا الحساب. من ينشئ حسابًا جديدًا بعنوانك لا يستعيده.
delete-button = احذف حسابي
delete-keep = الاحتفاظ به
delete-confirm = أكّد أولًا أنك أنت.
deleted = حُذف حسابك
deleted-says = حُذف بكل ما فيه، وسُجل خروجه في كل مكان. يمكنك إغلاق هذه الصفحة.

delete-for-good = لا يمكن التراجع عن ذلك.
delete-grace-days = يمكنك الاحتفاظ به { $days ->
        [one] ليوم واحد
        [two] ليومين
        [few] لمدة { $days } أيام
       *[other] لمدة { $days } يومًا
    } بتسجيل الدخول من جديد.
delete-grace-hours = يمكنك الاحتفاظ به { $hours ->
        [one] لساعة واحدة
        [two] لساعتين
        [few] لمدة { $hours } ساعات
       *[other] لمدة { $hours } ساعة
    } بتسجيل الدخول من جديد.
deleted-later = سيُحذف حسابك
deleted-later-days = سُجل خروجه من كل مكان. يمكنك الاحتفاظ به { $days ->
        [one] ليوم واحد
        [two] ليومين
        [few] لمدة { $days } أيام
       *[other] لمدة { $days } يومًا
    }: سجّل الدخول من جديد. بعد ذلك يزول نهائيًا.
deleted-later-hours = سُجل خروجه من كل مكان. يمكنك الاحتفاظ به { $hours ->
        [one] لساعة واحدة
        [two] لساعتين
        [few] لمدة { $hours } ساعات
       *[other] لمدة { $hours } ساعة
    }: سجّل الدخول من جديد. بعد ذلك يزول نهائيًا.

## What to look at

checkup = نظرة عامة
checkup-in-order = لا شيء يحتاج انتباهك
checkup-lately = في الآونة الأخيرة
checkup-unproven = عنوانك غير مؤكد
checkup-unproven-says = من دون ذلك لا يمكن لأحد أن يتيقن أنه لك.
checkup-unproven-button = أكّده
checkup-no-password = ليس لديك كلمة مرور
checkup-no-password-says = تسجل الدخول برمز في بريدك. بكلمة مرور تستغني عنه.
checkup-no-password-button = ضع واحدة
checkup-unused =
    { $n ->
        [one] لم يُستخدم جهاز واحد
        [two] لم يُستخدم جهازان
        [few] لم تُستخدم { $n } أجهزة
       *[other] لم يُستخدم { $n } جهازًا
    } منذ ثلاثة أشهر
checkup-unused-says = سجّل خروج ما لم تعد تستخدمه.
checkup-devices = انظر إلى الأجهزة
checkup-look = انظر إليه
checkup-change = غيّرها
changed-password = تغيرت كلمة مرورك
changed-password-by-operator = وضع القائمون على هذه الخدمة كلمة مرورك
changed-email = تغير عنوانك
changed-email-back = أُعيد عنوانك السابق
changed-email-lost = أثبت شخص آخر أن عنوانك له؛ لم يعد لك
changed-deletion-begun = طُلب حذف حسابك
changed-deletion-kept = أُبقي على حسابك
changed-username = تغير اسم المستخدم
changed-device = سجّل جهاز جديد الدخول
changed-not-me = سُجل خروج كل شيء، عن طريق «لم أكن أنا»
