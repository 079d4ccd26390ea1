"""What a signed link leads to, under /p/."""

from django.urls import path

from apps.messaging.preferences.views import come_back, leave, one_click, preferences

app_name = "preferences"
urlpatterns = [
    path("<str:token>", preferences, name="page"),
    path("<str:token>/leave", leave, name="leave"),
    path("<str:token>/return", come_back, name="return"),
    path("<str:token>/unsubscribe", one_click, name="one_click"),
]
