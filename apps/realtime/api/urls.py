from django.urls import path

from apps.realtime.api.tickets import TicketsView

urlpatterns = [path("realtime/tickets", TicketsView.as_view(), name="realtime-tickets")]
